/* Coca, eradication and spraying by year, small: an area for the stock, bars for what was destroyed; of a place or of several. */
(function (presencia) {
  const { node, svg } = presencia.dom;
  const BOX = { width: 336, height: 168, left: 46, right: 8, top: 18, bottom: 22 };
  const BARS = ["sprayed_ha", "eradicated_ha"];
  const KINDS = { coca_ha: "coca", eradicated_ha: "eradicated", sprayed_ha: "sprayed" };

  /* Hectares of several places; a gap in one of them is one in the sum, where as zero it would pass for a fall. */
  function history({ data, engine }, places) {
    const sum = (name, year) => {
      const values = engine.values(name, year);
      return { year, value: places.reduce((total, place) => total + values[place], 0) };
    };
    return Object.fromEntries(Object.keys(KINDS).map((name) => [name, data.series[name].years.map((year) => sum(name, year))]));
  }

  function ticks(most) {
    const power = 10 ** Math.floor(Math.log10(most / 3));
    const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => most / size <= 4);
    return Array.from({ length: Math.ceil(most / step) + 1 }, (_, place) => place * step);
  }

  function frame(points) {
    const marks = ticks(Math.max(1, ...points.map((point) => point.value || 0)));
    const years = points.map((point) => point.year);
    const [first, last] = [Math.min(...years), Math.max(...years)];
    const pitch = (BOX.width - BOX.left - BOX.right) / (last - first + 1);
    const depth = BOX.height - BOX.top - BOX.bottom;
    return {
      marks, pitch, first, last,
      floor: BOX.height - BOX.bottom,
      x: (year) => BOX.left + (year - first + 0.5) * pitch,
      y: (value) => BOX.top + depth * (1 - value / marks[marks.length - 1]),
      year: (x) => Math.min(last, Math.max(first, first + Math.floor((x - BOX.left) / pitch))),
    };
  }

  function runs(points) {
    const found = [[]];
    for (const point of points) {
      if (Number.isNaN(point.value)) found.push([]);
      else found[found.length - 1].push(point);
    }
    return found.filter((run) => run.length);
  }

  function trace(run, at) {
    return run.map((point, place) => (place ? "L" : "M") + at.x(point.year).toFixed(1) + " " + at.y(point.value).toFixed(1)).join("");
  }

  function stock(coca, at) {
    return runs(coca).flatMap((run) => {
      const path = trace(run, at);
      const ends = [run[run.length - 1], run[0]].map((point) => "L" + at.x(point.year).toFixed(1) + " " + at.floor).join("");
      return [svg("path", { class: "pr-area", d: path + ends + "Z" }), svg("path", { class: "pr-line", d: path })];
    });
  }

  function bars(series, at) {
    const width = (0.76 * at.pitch) / series.length;
    return series.flatMap(([name, points], order) =>
      points.filter((point) => point.value).map((point) => {
        const top = at.y(point.value);
        const left = at.x(point.year) + (order - series.length / 2) * width;
        return svg("rect", { class: "pr-bar pr-bar-" + KINDS[name], x: left.toFixed(1), width: width.toFixed(1), y: top.toFixed(1), height: (at.floor - top).toFixed(1) });
      }));
  }

  function axes(at, say) {
    const right = BOX.width - BOX.right;
    const decimals = at.marks[1] % 1 ? 1 : 0;
    const rows = at.marks.flatMap((value) => [
      svg("line", { class: value ? "pr-grid" : "pr-base", x1: BOX.left, x2: right, y1: at.y(value), y2: at.y(value) }),
      svg("text", { x: BOX.left - 6, y: at.y(value) + 4, "text-anchor": "end" }, say.number(value, decimals)),
    ]);
    const years = Array.from({ length: at.last - at.first + 1 }, (_, place) => at.first + place);
    const marked = years.filter((year) => year === at.first || year === at.last || (year % 5 === 0 && at.last - year > 2 && year - at.first > 2));
    const columns = marked.map((year) => svg("text", { x: at.x(year), y: BOX.height - 6, "text-anchor": "middle" }, String(year)));
    return [...rows, ...columns, svg("text", { x: BOX.left - 6, y: 9, "text-anchor": "end" }, say.text("chart_axis"))];
  }

  function summary(coca, say) {
    const known = coca.filter((point) => !Number.isNaN(point.value));
    if (!known.length) return say.text("chart_no_coca");
    const peak = known.reduce((best, point) => (point.value > best.value ? point : best), known[0]);
    const [first, last] = [known[0], known[known.length - 1]];
    return say.text("chart_label", {
      first: first.year, last: last.year, coca_first: say.amount(first.value), coca_last: say.amount(last.value),
      peak: say.amount(peak.value), peak_year: peak.year,
    });
  }

  const label = (name, points, say) => say.text("card_series_" + KINDS[name], { first: points[0]?.year, last: points[points.length - 1]?.year });
  const valueIn = (points, year) => points.find((point) => point.year === year)?.value;

  function reader(series, at, say) {
    const needle = svg("line", { class: "pr-needle", y1: BOX.top - 4, y2: at.floor });
    const words = node("p", { class: "pr-readout" });
    const hectares = (value) => (Number.isNaN(value) ? say.text("no_value") : say.amount(value) + " ha");
    function read(year) {
      needle.setAttribute("x1", at.x(year));
      needle.setAttribute("x2", at.x(year));
      const told = series.filter(([, points]) => valueIn(points, year) !== undefined);
      const parts = told.map(([name, points]) => say.text("card_read_" + KINDS[name], { value: hectares(valueIn(points, year)) }));
      words.textContent = `${year}: ${parts.join(" · ")}`;
    }
    return { needle, words, read };
  }

  function table(series, at, say) {
    const cell = (points, year) => { const value = valueIn(points, year); return node("td", {}, value === undefined ? "–" : say.amount(value)); };
    const rows = Array.from({ length: at.last - at.first + 1 }, (_, place) => at.first + place).map((year) =>
      node("tr", {}, node("th", { scope: "row" }, String(year)), series.map(([, points]) => cell(points, year))));
    const head = [say.text("year"), ...series.map(([name, points]) => label(name, points, say))].map((text) => node("th", { scope: "col" }, text));
    return node("details", { class: "pr-years" },
      node("summary", {}, say.text("table_open")),
      node("table", {}, node("thead", {}, node("tr", {}, head)), node("tbody", {}, rows)));
  }

  function keys(series, say) {
    return node("p", { class: "pr-keys" }, series.map(([name, points]) =>
      node("span", { class: "pr-key" }, node("span", { class: "pr-key-" + KINDS[name], "aria-hidden": "true" }), label(name, points, say))));
  }

  function empty(coca, say) {
    const measured = coca.some((point) => !Number.isNaN(point.value));
    return { element: node("p", { class: "pr-quiet" }, say.text(measured ? "chart_none" : "chart_missing", { first: coca[0].year })), point: () => {} };
  }

  /* What was never sprayed has no bars, key or column of spraying. */
  function chart({ say }, past) {
    const any = (points) => points.some((point) => point.value);
    const series = Object.entries(past).filter(([name, points]) => points.length && (name !== "sprayed_ha" || any(points)));
    if (!series.some(([, points]) => any(points))) return empty(past.coca_ha, say);
    const at = frame(series.flatMap(([, points]) => points));
    const reading = reader(series, at, say);
    let now = at.last;
    const picture = svg("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, role: "img", "aria-label": summary(past.coca_ha, say), class: "pr-chart" },
      axes(at, say), bars(BARS.filter((name) => any(past[name])).map((name) => [name, past[name]]), at), stock(past.coca_ha, at), reading.needle);
    const follow = (event) => {
      const box = picture.getBoundingClientRect();
      reading.read(at.year(((event.clientX - box.left) / box.width) * BOX.width));
    };
    for (const kind of ["pointerdown", "pointermove"]) picture.addEventListener(kind, follow);
    picture.addEventListener("pointerleave", () => reading.read(now));
    const point = (year) => { now = year; reading.read(year); };
    return { element: node("div", {}, keys(series, say), picture, reading.words, table(series, at, say)), point };
  }

  chart.history = history;
  presencia.chart = chart;
})((window.presencia = window.presencia || {}));
