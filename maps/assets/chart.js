/* Coca and eradication by year, small: an area for the stock, bars for what was pulled out. */
(function (presencia) {
  const { node, svg } = presencia.dom;
  const BOX = { width: 336, height: 168, left: 46, right: 8, top: 18, bottom: 22 };

  function ticks(most) {
    const power = 10 ** Math.floor(Math.log10(most / 3));
    const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => most / size <= 4);
    return Array.from({ length: Math.ceil(most / step) + 1 }, (_, place) => place * step);
  }

  function frame(coca, pulled) {
    const known = [...coca, ...pulled].map((point) => point.value || 0);
    const marks = ticks(Math.max(1, ...known));
    const first = coca[0].year;
    const count = coca[coca.length - 1].year - first + 1;
    const pitch = (BOX.width - BOX.left - BOX.right) / count;
    const depth = BOX.height - BOX.top - BOX.bottom;
    return {
      marks,
      pitch,
      floor: BOX.height - BOX.bottom,
      x: (year) => BOX.left + (year - first + 0.5) * pitch,
      y: (value) => BOX.top + depth * (1 - value / marks[marks.length - 1]),
      year: (x) => Math.min(first + count - 1, Math.max(first, first + Math.floor((x - BOX.left) / pitch))),
    };
  }

  function runs(points) {
    const found = [[]];
    for (const point of points) {
      if (point.value === null) found.push([]);
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

  function bars(pulled, at) {
    return pulled
      .filter((point) => point.value)
      .map((point) => {
        const top = at.y(point.value);
        return svg("rect", { class: "pr-bar", x: at.x(point.year) - at.pitch * 0.36, width: at.pitch * 0.72, y: top, height: at.floor - top });
      });
  }

  function axes(coca, at, say) {
    const right = BOX.width - BOX.right;
    const decimals = at.marks[1] % 1 ? 1 : 0;
    const rows = at.marks.flatMap((value) => [
      svg("line", { class: value ? "pr-grid" : "pr-base", x1: BOX.left, x2: right, y1: at.y(value), y2: at.y(value) }),
      svg("text", { x: BOX.left - 6, y: at.y(value) + 4, "text-anchor": "end" }, say.number(value, decimals)),
    ]);
    const last = coca[coca.length - 1].year;
    const years = coca.map((point) => point.year).filter((year) => year === coca[0].year || year === last || (year % 5 === 0 && last - year > 2 && year - coca[0].year > 2));
    const columns = years.map((year) => svg("text", { x: at.x(year), y: BOX.height - 6, "text-anchor": "middle" }, String(year)));
    return [...rows, ...columns, svg("text", { x: BOX.left - 6, y: 9, "text-anchor": "end" }, say.text("chart_axis"))];
  }

  function summary(coca, say) {
    const known = coca.filter((point) => point.value !== null);
    if (!known.length) return say.text("chart_no_coca");
    const peak = known.reduce((best, point) => (point.value > best.value ? point : best), known[0]);
    const [first, last] = [known[0], known[known.length - 1]];
    return say.text("chart_label", {
      first: first.year, last: last.year, coca_first: say.amount(first.value), coca_last: say.amount(last.value),
      peak: say.amount(peak.value), peak_year: peak.year,
    });
  }

  function reader(coca, pulled, at, year, say) {
    const value = (points, wanted) => points.find((point) => point.year === wanted)?.value ?? null;
    const hectares = (amount) => (amount === null ? say.text("no_value") : say.amount(amount) + " ha");
    const needle = svg("line", { class: "pr-needle", y1: BOX.top - 4, y2: at.floor });
    const words = node("p", { class: "pr-readout" });
    function read(wanted) {
      needle.setAttribute("x1", at.x(wanted));
      needle.setAttribute("x2", at.x(wanted));
      words.textContent = say.text("chart_readout", { year: wanted, coca: hectares(value(coca, wanted)), eradicated: hectares(value(pulled, wanted)) });
    }
    read(year);
    return { needle, words, read };
  }

  function table(coca, pulled, say) {
    const eradicated = new Map(pulled.map((point) => [point.year, point.value]));
    const rows = coca.map(({ year, value }) =>
      node("tr", {},
        node("th", { scope: "row" }, String(year)),
        node("td", {}, say.amount(value)),
        node("td", {}, eradicated.has(year) ? say.amount(eradicated.get(year)) : "–"),
      ),
    );
    const head = ["year", "chart_coca", "chart_eradicated"].map((key) => node("th", { scope: "col" }, say.text(key, { first: pulled[0]?.year })));
    return node("details", { class: "pr-years" },
      node("summary", {}, say.text("table_open")),
      node("table", {}, node("thead", {}, node("tr", {}, head)), node("tbody", {}, rows)),
    );
  }

  function keys(pulled, say) {
    const key = (kind, label) => node("span", { class: "pr-key" }, node("span", { class: "pr-key-" + kind, "aria-hidden": "true" }), label);
    return node("p", { class: "pr-keys" }, key("coca", say.text("chart_coca")), key("eradicated", say.text("chart_eradicated", { first: pulled[0]?.year })));
  }

  function chart(town, { model, say, year }) {
    const coca = model.history(town, "coca_ha");
    const pulled = model.history(town, "eradicated_ha");
    if (![...coca, ...pulled].some((point) => point.value)) {
      const measured = coca.some((point) => point.value !== null);
      return node("p", { class: "pr-quiet" }, say.text(measured ? "chart_none" : "chart_missing", { first: coca[0].year }));
    }
    const at = frame(coca, pulled);
    const reading = reader(coca, pulled, at, year, say);
    const picture = svg("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, role: "img", "aria-label": summary(coca, say), class: "pr-chart" },
      axes(coca, at, say), bars(pulled, at), stock(coca, at), reading.needle);
    picture.addEventListener("pointermove", (event) => {
      const box = picture.getBoundingClientRect();
      reading.read(at.year(((event.clientX - box.left) / box.width) * BOX.width));
    });
    picture.addEventListener("pointerleave", () => reading.read(year));
    return node("div", {}, keys(pulled, say), picture, reading.words, table(coca, pulled, say));
  }

  presencia.chart = chart;
})((window.presencia = window.presencia || {}));
