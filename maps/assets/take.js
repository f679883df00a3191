/* What a planner takes away: figures and shapes as files, the view as an image or a sheet of paper, the page as it is. */
(function (presencia) {
  const { node, byId } = presencia.dom;
  const DECIMALS = { figure: 6, score: 12 };
  const SCALE = 2;
  const FONT = 'system-ui, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif';
  const CHOICES = ["top", "vacated", "chosen", "department", "zones", "all"];
  const ROWS = 15;
  const META = 'meta name="presencia-state" content="';

  /* The places or zones of a choice, and what its file is called after. */
  function pick(app, choice) {
    const { chosen, department } = app.store.get();
    const { ranked, high, zones } = app.scored();
    const { towns } = app.model;
    const where = (test) => towns.filter(test).map((town) => town.place);
    if (choice === "zones") return { zones, id: "zones" };
    if (choice === "chosen" && !app.model.place.has(chosen)) return { zones: zones.filter((zone) => zone.id === chosen), id: chosen };
    if (choice === "chosen") return { places: [app.model.place.get(chosen)], id: chosen };
    if (choice === "top") return { places: Array.from(ranked).slice(0, app.store.get().top), id: "top" };
    if (choice === "vacated") return { places: where((town) => high[town.place] && town.vacated), id: "vacated" };
    if (choice === "department") return { places: where((town) => town.department_code === department), id: department };
    return { places: where(() => true), id: "all" };
  }

  const size = ({ places, zones }) => (places || zones).length;

  /* Figures are named and rounded as in municipalities.geojson and zones.geojson. */
  function figure(value, decimals = DECIMALS.figure) {
    return value === null || value === undefined || !Number.isFinite(value) ? null : Number(value.toFixed(decimals));
  }

  function columns(app) {
    const { model, engine, data } = app;
    const { year } = app.store.get();
    const scored = app.scored();
    const town = (key) => (place) => model.towns[place][key] ?? null;
    const fact = (key) => (place) => figure(model.towns[place][key]);
    const measure = (name) => {
      const values = engine.values(name, year);
      return (place) => figure(values[place]);
    };
    const named = (name) => {
      const values = engine.values(name, year);
      return (place) => presencia.measures.CATEGORIES[name][values[place]] ?? null;
    };
    const spread = (key) => (scored.asRun ? fact(key) : () => null);
    const parts = data.scoring.criteria.map(({ name }, order) =>
      ["contribution_" + name, (place) => (scored.rank[place] ? figure(scored.contributions(place)[order], DECIMALS.score) : null)]);
    return {
      code: town("code"), name: town("name"), department_code: town("department_code"), department: town("department"),
      year: () => year, population: measure("population"), area_km2: fact("area_km2"), coca_ha: measure("coca_ha"),
      coca_ha_per_km2: measure("coca_ha_per_km2"), coca_trend_ha_per_year: measure("coca_trend_ha_per_year"),
      permanence: measure("permanence"), permanence_class: named("permanence_class"), hot_spot: named("hot_spot"),
      eradicated_ha: measure("eradicated_window_ha"), resurgence: measure("resurgence"), regrown_ha: measure("regrown_ha"),
      farc_events: measure("farc_events_window"), farc_events_per_10k: measure("farc_events_per_10k"),
      homicide_rate: measure("homicide_rate"), station_km: fact("station_km"), people_beyond: measure("people_beyond"),
      score: (place) => figure(scored.score[place], DECIMALS.score), coverage: (place) => figure(scored.coverage[place]),
      rank: (place) => scored.rank[place] || null, rank_low: spread("rank_low"), rank_high: spread("rank_high"), top_share: spread("top_share"),
      high_cultivation: (place) => Boolean(scored.high[place]), vacated: town("vacated"), pdet: town("pdet"), etcr: town("etcr"),
      reserve_share: fact("reserve_share"), council_share: fact("council_share"), park_share: fact("park_share"),
      zone: (place) => scored.zone[place] ?? null, ...Object.fromEntries(parts),
    };
  }

  function zoneRecord(app, zone) {
    const rounded = ["coca_ha", "area_km2", "population", "eradicated_ha"].map((key) => [key, figure(zone[key])]);
    const members = Array.from(zone.members, (place) => app.data.codes[place]);
    const { year } = app.store.get();
    return { zone: zone.id, name: zone.name, year, members, ...Object.fromEntries(rounded), score: figure(zone.score, DECIMALS.score) };
  }

  function records(app, { places, zones }) {
    if (zones) return zones.map((zone) => zoneRecord(app, zone));
    const every = Object.entries(columns(app));
    return places.map((place) => Object.fromEntries(every.map(([name, value]) => [name, value(place)])));
  }

  /* What changes a ranking, so that a file says what it rests on. */
  function settings(app) {
    const { data, store } = app;
    const state = store.get();
    const { weights, asRun } = app.scored();
    return {
      weights: Object.fromEntries(data.scoring.criteria.map(({ name }, order) => [name, figure(weights[order], DECIMALS.score)])),
      method: state.method, minimum_coca_ha: state.minimum, only: state.only, top: state.top,
      locked_in: state.lockedIn, locked_out: state.lockedOut, as_run: asRun,
    };
  }

  /* As 2020-12-31, by the reader's own clock. */
  const today = () => new Date().toLocaleDateString("sv");

  const grid = (value) => Math.round(value * 1e6) / 1e6;
  const twice = (ring) => ring.reduce((sum, [x, y], at) => sum + (at ? ring[at - 1][0] * y - x * ring[at - 1][1] : 0), 0);
  const turned = (ring, left) => (twice(ring) > 0 === left ? ring : [...ring].reverse());

  /* Rings as RFC 7946 has them: the outer one counter-clockwise, holes clockwise, on a grid of six decimals. */
  function oriented(polygons) {
    const onGrid = (ring) => ring.map(([x, y]) => [grid(x), grid(y)]).filter(([x, y], at, all) => !at || x !== all[at - 1][0] || y !== all[at - 1][1]);
    return polygons.map((rings) => rings.map((ring, order) => turned(onGrid(ring), order === 0)));
  }

  /* Sides that two neighbours share run both ways, and fall away; what is left is the outline of all together. */
  function outline(polygons) {
    const sides = new Map();
    for (const ring of polygons.flat(1)) {
      for (let at = 1; at < ring.length; at += 1) {
        const back = ring[at] + ";" + ring[at - 1];
        if (!sides.delete(back)) sides.set(ring[at - 1] + ";" + ring[at], [ring[at - 1], ring[at]]);
      }
    }
    const from = new Map();
    for (const [start, end] of sides.values()) from.set(String(start), [...(from.get(String(start)) || []), end]);
    return from;
  }

  /* How far to the right of the way back a way on lies, so that a walk keeps to the land on its left. */
  function sweep([ax, ay], [bx, by], [cx, cy]) {
    const angle = Math.atan2(ay - by, ax - bx) - Math.atan2(cy - by, cx - bx);
    return angle > 0 ? angle : angle + 2 * Math.PI;
  }

  function onward(from, before, here) {
    const ways = from.get(String(here));
    const best = ways.reduce((one, other) => (before && sweep(before, here, other) < sweep(before, here, one) ? other : one));
    ways.splice(ways.indexOf(best), 1);
    if (!ways.length) from.delete(String(here));
    return best;
  }

  /* Walk the outline; where a walk meets itself, a ring is complete. */
  function loops(from) {
    const rings = [];
    while (from.size) {
      const path = [from.keys().next().value.split(",").map(Number)];
      const met = new Map([[String(path[0]), 0]]);
      while (from.has(String(path[path.length - 1]))) {
        const next = onward(from, path[path.length - 2], path[path.length - 1]);
        const before = met.get(String(next));
        met.set(String(next), path.length);
        path.push(next);
        if (before === undefined) continue;
        rings.push(path.slice(before));
        for (const point of path.splice(before + 1)) met.delete(String(point));
        met.set(String(next), before);
      }
    }
    return rings;
  }

  function within([x, y], ring) {
    return ring.reduce((odd, [bx, by], at) => {
      const [ax, ay] = ring[at ? at - 1 : ring.length - 1];
      return ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax ? !odd : odd;
    }, false);
  }

  /* A hole belongs to the smallest ring around it; a corner may touch that ring, the middle of a side does not. */
  function dissolve(polygons) {
    const rings = loops(outline(oriented(polygons)));
    const shapes = rings.filter((ring) => twice(ring) > 0).sort((a, b) => twice(a) - twice(b)).map((ring) => [ring]);
    for (const hole of rings.filter((ring) => twice(ring) < 0)) {
      const middle = [0, 1].map((axis) => (hole[0][axis] + hole[1][axis]) / 2);
      shapes.find(([outer]) => within(middle, outer))?.push(hole);
    }
    return shapes;
  }

  function geometry(polygons) {
    if (!polygons.length) return null;
    return polygons.length === 1 ? { type: "Polygon", coordinates: polygons[0] } : { type: "MultiPolygon", coordinates: polygons };
  }

  function bounds(shapes) {
    const edges = [Infinity, Infinity, -Infinity, -Infinity];
    for (const [x, y] of shapes.flat(3)) [[Math.min, x], [Math.min, y], [Math.max, x], [Math.max, y]].forEach(([most, value], side) => { edges[side] = most(edges[side], value); });
    return edges.every(Number.isFinite) ? { bbox: edges } : {};
  }

  function geojson(app, picked) {
    const shapes = picked.zones
      ? picked.zones.map((zone) => dissolve(Array.from(zone.members).flatMap((place) => app.shapes(place))))
      : picked.places.map((place) => oriented(app.shapes(place)));
    const { data, say } = app;
    const presencia = {
      year: app.store.get().year, selection: picked.id, settings: settings(app), sources: data.sources,
      attribution: data.attribution, created: data.created ?? null, downloaded: today(), caveat: say.text("take_caveat"),
    };
    const features = records(app, picked).map((properties, order) => JSON.stringify({ type: "Feature", properties, geometry: geometry(shapes[order]) }));
    const head = JSON.stringify({ type: "FeatureCollection", ...bounds(shapes), presencia }).slice(0, -1);
    return `${head},"features":[\n${features.join(",\n")}\n]}\n`;
  }

  /* A text that begins as a formula does would be run by a spreadsheet; an apostrophe keeps it a text. */
  const harmless = (text) => (/^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) ? "'" + text : text);
  const quoted = (text) => '"' + harmless(text).replaceAll('"', '""') + '"';
  const plainly = (value) => (value && Math.abs(value) < 1e-6 ? value.toFixed(DECIMALS.score) : String(value));

  function cell(value, comma) {
    if (value === null) return "";
    if (typeof value === "number") return comma ? plainly(value).replace(".", ",") : plainly(value);
    return typeof value === "boolean" ? String(value) : quoted(Array.isArray(value) ? value.join(" ") : value);
  }

  function csv(app, picked, comma) {
    const rows = records(app, picked);
    const lines = rows.map((row) => Object.values(row).map((value) => cell(value, comma)));
    const head = Object.keys(rows[0]).map(quoted);
    return "\ufeff" + [head, ...lines].map((line) => line.join(comma ? ";" : ",") + "\r\n").join("");
  }

  /* Texts of others drawn as text: on one line, in one direction, and no longer than there is room. */
  function short(text, most = 90) {
    const clean = String(text ?? "").replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "").replace(/[\s\u0000-\u001f\u007f]+/g, " ").trim();
    const letters = Array.from(clean.slice(0, 4 * most));
    return letters.length > most ? letters.slice(0, most - 1).join("") + "…" : letters.join("");
  }

  function views(app) {
    const { measure, year, compare, measure2, year2 } = app.store.get();
    const shown = compare === "off" ? [[measure, year]] : [[measure, year], [measure2, year2]];
    return shown.map(([field, when]) => presencia.scales.name(field, app.say, when)).join(" | ");
  }

  function national(app) {
    const { say, engine, data, model } = app;
    const { year } = app.store.get();
    const { places, high } = app.scored();
    const most = model.towns.filter((town) => high[town.place]);
    const printed = data.published[year];
    const coca = say.text(printed === undefined ? "take_coca" : "take_coca_published", { year, ha: say.number(engine.total("coca_ha", year)), printed: say.number(printed ?? null) });
    const counts = { candidates: say.number(places.length), high: say.number(most.length), left: say.number(most.filter((town) => town.vacated).length) };
    return coca + " " + say.text("take_counts", { ...counts, share: say.share(data.terms.high_share) });
  }

  function basis(app) {
    const { say, data, engine } = app;
    const state = app.store.get();
    const { weights, asRun } = engine.scored({ ...state, year: data.year });
    if (asRun) return say.text("take_as_run");
    const named = data.scoring.criteria.map((criterion, order) => short(say.pick(criterion.label), 40) + " " + say.percent(weights[order], 1));
    const locked = state.lockedIn.length + state.lockedOut.length;
    const only = state.only ? " " + say.text("take_only_" + state.only) : "";
    const locks = locked ? " " + say.text("take_locked", { count: say.number(locked) }) : "";
    return say.text("take_own", { method: say.text("weights_method_" + state.method), minimum: say.number(state.minimum, state.minimum % 1 ? 1 : 0), weights: named.join(", ") }) + only + locks;
  }

  function credits(app) {
    const sources = app.data.sources.map(({ publisher, title, vintage }) => short([publisher, title, vintage].filter(Boolean).join(", "), 160));
    return app.say.text("take_sources", { sources: [short(app.data.attribution), ...sources].join("; ") });
  }

  function dated({ say, data }) {
    const date = new Intl.DateTimeFormat(say.text("locale"), { dateStyle: "long" }).format(new Date());
    return data.created ? say.text("take_dates", { date, created: short(data.created, 20) }) : say.text("take_date", { date });
  }

  /* The legend of the page: its titles, and its rows with what marks them. While it is folded it does not follow the map. */
  function legendRows(app) {
    const details = byId("pr-legend").querySelector("details");
    const { open } = details;
    details.open = true;
    app.legend.update();
    const rows = Array.from(details.querySelectorAll("summary, h2, li"), (item) => ({
      title: item.tagName !== "LI", text: short((item.querySelector(".pr-label")?.firstChild || item).textContent, 80), mark: item.querySelector(".pr-swatch, .pr-mark"),
    }));
    details.open = open;
    return rows;
  }

  function wrap(pen, text, width) {
    const lines = [];
    let line = "";
    for (const word of text.split(" ")) {
      const longer = line ? line + " " + word : word;
      if (pen.measureText(longer).width <= width) {
        line = longer;
        continue;
      }
      if (line) lines.push(line);
      line = word;
      for (let end = line.length; pen.measureText(line).width > width; end = line.length) {
        while (end > 1 && pen.measureText(line.slice(0, end)).width > width) end -= 1;
        lines.push(line.slice(0, end));
        line = line.slice(end);
      }
    }
    return [...lines, line];
  }

  /* Each block knows its height and how to draw itself from a line downwards. */
  function paragraph(pen, text, width, { size = 12, weight = 400, colour = "#16242c" } = {}) {
    const font = `${weight} ${size}px ${FONT}`;
    pen.font = font;
    const lines = wrap(pen, text, width);
    const step = size * 1.4;
    return { height: lines.length * step + 4, draw: (at, x, y) => {
      at.font = font;
      at.fillStyle = colour;
      lines.forEach((line, order) => at.fillText(line, x, y + order * step));
    } };
  }

  function path(pen, corners, width, colour, filling) {
    pen.beginPath();
    for (const [x, y] of corners) pen.lineTo(x, y);
    if (filling) pen.closePath();
    pen.fillStyle = filling || "transparent";
    pen.fill();
    pen.lineWidth = width;
    pen.strokeStyle = colour;
    pen.stroke();
  }

  const round = (count, radius, x, y) => Array.from({ length: count }, (_, at) => [x + radius * Math.cos((2 * Math.PI * at) / count), y + radius * Math.sin((2 * Math.PI * at) / count)]);

  /* A mark of the legend: the layer's own line or point, or what the page paints behind it. */
  function drawMark(pen, mark, { lines, points }, x, y) {
    const kind = mark.className.match(/pr-mark-(\w+)/)?.[1];
    const strokes = { vacated: [[3, lines.vacated]], zones: [[8, lines.zone_band], [2, lines.zones]], departments: [[2, lines.departments]], enclaves: [[4, lines.zones], [2, "#ffffff", [4, 4]]], edge: [[1.5, "#5c5c5c", [5, 4]]] }[kind];
    if (strokes) {
      return strokes.forEach(([width, colour, dashes = []]) => {
        pen.setLineDash(dashes);
        path(pen, [[x, y + 7], [x + 22, y + 7]], width, colour);
        pen.setLineDash([]);
      });
    }
    if (kind === "etcr") return path(pen, round(4, 7, x + 11, y + 7), 1, "#1b1b1b", points.etcr);
    if (kind) return path(pen, round(16, 4, x + 11, y + 7), 1, "#ffffff", points.station);
    const { backgroundColor, backgroundImage } = getComputedStyle(mark);
    path(pen, [[x, y], [x + 22, y], [x + 22, y + 14], [x, y + 14]], 1, "rgb(22 36 44 / 35%)", backgroundColor);
    for (let at = 5; at < 36 && backgroundImage !== "none"; at += 5) {
      path(pen, [[x + Math.min(at, 22), y + Math.max(0, at - 22)], [x + Math.max(0, at - 14), y + Math.min(at, 14)]], 1.4, "#8a9299");
    }
  }

  /* Rows of the legend flow from left to right; a title begins a line of its own. */
  function legendBlock(app, pen, width) {
    pen.font = `400 12px ${FONT}`;
    let [x, y] = [0, 0];
    const placed = legendRows(app).map((row) => {
      const room = row.title ? width : 46 + pen.measureText(row.text).width;
      if (x && (row.title || x + room > width)) [x, y] = [0, y + 20];
      const at = { ...row, x, y };
      [x, y] = row.title ? [0, y + 18] : [x + room, y];
      return at;
    });
    return { height: y + 26, draw: (at, left, top) => {
      for (const row of placed) {
        at.font = `${row.title ? 700 : 400} 12px ${FONT}`;
        if (row.mark) drawMark(at, row.mark, app.data.colours, left + row.x, top + row.y);
        at.fillStyle = "#16242c";
        at.fillText(row.text, left + row.x + (row.mark ? 28 : 0), top + row.y + 1);
      }
    } };
  }

  function blocks(app, pen, drawn, width) {
    const { say } = app;
    const soft = { size: 11, colour: "#4a5a64" };
    const image = { height: drawn.height + 10, bleed: true, draw: (at, x, y) => at.drawImage(drawn.canvas, x, y, drawn.width, drawn.height) };
    return [
      paragraph(pen, short(views(app), 200), width, { size: 20, weight: 700 }),
      paragraph(pen, say.text("title"), width, soft), image, legendBlock(app, pen, width), paragraph(pen, national(app), width),
      ...[basis(app), credits(app), say.text("take_caveat") + " " + dated(app)].map((text) => paragraph(pen, text, width, soft)),
    ];
  }

  function poster(app) {
    const drawn = app.picture();
    const margin = 16;
    const width = Math.max(360, drawn.width);
    const parts = blocks(app, node("canvas").getContext("2d"), drawn, width - 2 * margin);
    const height = parts.reduce((sum, part) => sum + part.height, 2 * margin);
    const canvas = node("canvas", { width: Math.round(SCALE * width), height: Math.round(SCALE * height) });
    const pen = canvas.getContext("2d");
    pen.scale(SCALE, SCALE);
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, width, height);
    pen.textBaseline = "top";
    let top = margin;
    for (const part of parts) {
      part.draw(pen, part.bleed ? (width - drawn.width) / 2 : margin, top);
      top += part.height;
    }
    return canvas;
  }

  function firstTable(app) {
    const { say, model } = app;
    const scored = app.scored();
    const { year, department } = app.store.get();
    const coca = app.engine.values("coca_ha", year);
    const ranked = Array.from(scored.ranked).filter((place) => !department || model.towns[place].department_code === department);
    const keys = ["rank", "take_municipality", "take_department_name", "score", "take_ha", ...(scored.asRun ? ["take_range"] : [])];
    const rows = ranked.slice(0, ROWS).map((place) => {
      const town = model.towns[place];
      const range = scored.asRun ? [`${say.number(town.rank_low)}–${say.number(town.rank_high)}`] : [];
      const texts = [say.number(scored.rank[place]), short(town.name, 28), short(town.department, 22), say.score(scored.score[place]), say.amount(coca[place]), ...range];
      return node("tr", {}, texts.map((text) => node("td", {}, text)));
    });
    const head = node("tr", {}, keys.map((key) => node("th", { scope: "col" }, say.text(key))));
    return node("table", {}, node("caption", {}, say.text(department ? "top_title_department" : "take_first", { year })), node("thead", {}, head), node("tbody", {}, rows));
  }

  function legendList(app) {
    return legendRows(app).map(({ title, text, mark }) => {
      const copy = mark?.cloneNode(true);
      if (copy) copy.style.backgroundColor = getComputedStyle(mark).backgroundColor;
      return node("p", { class: title ? "pr-print-title" : "pr-print-key" }, copy, text);
    });
  }

  function paper(app) {
    const { say } = app;
    const map = node("img", { src: app.picture().canvas.toDataURL(), alt: views(app) });
    const side = node("div", { class: "pr-print-side" }, node("div", { class: "pr-print-legend" }, legendList(app)), firstTable(app));
    const words = [national(app), basis(app), credits(app), say.text("take_caveat") + " " + dated(app)];
    return node("section", { class: "pr-print", id: "pr-print" },
      node("header", {}, node("h1", {}, short(views(app), 120)), node("p", {}, say.text("title"))),
      node("div", { class: "pr-print-map" }, map), side,
      node("footer", {}, words.map((text) => node("p", {}, text))));
  }

  /* The sheet lies outside of the screen while it is made: rows go until the rest fits. */
  function fit(sheet) {
    const over = () => [sheet, sheet.querySelector(".pr-print-side")].some((box) => box.scrollHeight > box.clientHeight + 1);
    const rows = Array.from(sheet.querySelectorAll("tbody tr"));
    while (rows.length && over()) rows.pop().remove();
  }

  const clear = () => byId("pr-print")?.remove();

  function lay(app) {
    clear();
    const sheet = paper(app);
    document.body.append(sheet);
    fit(sheet);
    return sheet;
  }

  /* The button waits until the map's image is ready; who prints by the browser's own command gets a sheet just then. */
  function printer(app) {
    let ready = false;
    window.addEventListener("beforeprint", () => {
      if (!ready) lay(app);
      ready = false;
    });
    window.addEventListener("afterprint", clear);
    return () => {
      const done = () => {
        ready = true;
        window.print();
      };
      lay(app).querySelector("img").decode().then(done, done);
    };
  }

  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

  /* Scripts stay as they are, byte for byte, since the policy knows them by their hash: only what follows <head> changes. */
  function saved(app) {
    const cut = app.source.indexOf("<head>") + "<head>".length;
    const rest = app.source.slice(cut).replace(new RegExp("^\\s*<" + META + '[^"]*">'), "");
    return `\ufeff${app.source.slice(0, cut)}<${META}${escaped(fragment(app))}">${rest}`;
  }

  /* A page that was saved opens as it was saved unless its address says otherwise, so an address says something. */
  const fragment = ({ store }) => store.fragment() || "year=" + store.get().year;
  const link = (app) => location.href.split("#")[0] + "#" + fragment(app);

  function download(name, type, content) {
    const address = URL.createObjectURL(new Blob([content], { type }));
    const anchor = node("a", { href: address, download: name, hidden: "" });
    document.body.append(anchor);
    anchor.click();
    anchor.remove();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  }

  function radios(app, chosen, change) {
    return Object.fromEntries(CHOICES.map((choice) => {
      const input = node("input", { type: "radio", name: "pr-take", value: choice, id: "pr-take-" + choice, change: () => change(choice) });
      const [label, count] = [node("span", { class: "pr-take-name" }), node("span", { class: "pr-take-count" })];
      input.checked = choice === chosen;
      return [choice, { input, label, count, row: node("label", { class: "pr-choice pr-take-choice" }, input, label, count) }];
    }));
  }

  function labels(app) {
    const { say, model, store } = app;
    const { chosen, department, top, year } = store.get();
    const town = model.towns[model.place.get(chosen)];
    const zone = app.scored().zones.find(({ id }) => id === chosen);
    const place = model.departments.find(({ code }) => code === department);
    const named = (key, thing) => (thing ? say.text(key, { name: short(thing.name) }) : say.text(key + "_none"));
    return {
      chosen: named("take_chosen", town || zone), department: named("take_department", place), top: say.text("take_top", { count: say.number(top) }),
      vacated: say.text("take_vacated"), zones: say.text("take_zones"), all: say.text("take_all", { year }),
    };
  }

  const decimalComma = () => new Intl.NumberFormat(navigator.language).format(1.5).includes(",");

  function take(app) {
    const { say, store } = app;
    let [wanted, comma, rows] = ["top", decimalComma(), {}];
    const print = printer(app);
    const said = node("p", { class: "pr-take-said" });
    const field = node("input", { type: "text", id: "pr-take-link", readonly: "", hidden: "" });

    function tell(key, values) {
      said.textContent = say.text(key, values);
      app.announce(said.textContent);
    }

    const counted = (picked) => say.text((picked.zones ? "take_count_zones" : "take_count") + (size(picked) === 1 ? "_one" : ""), { count: say.number(size(picked)) });
    const usable = () => [wanted, "top", "all"].find((choice) => size(pick(app, choice)));

    function give(name, type, content, picked) {
      download(name, type, content);
      tell(picked ? "take_done" : "take_done_file", { name, count: picked && counted(picked) });
    }

    function file(ending, type, write) {
      const picked = pick(app, usable());
      give(`presencia-${store.get().year}-${picked.id}.${ending}`, type, write(picked), picked);
    }

    function image() {
      const { year, measure } = store.get();
      poster(app).toBlob((blob) => (blob ? give(`presencia-${year}-${measure}.png`, "image/png", blob) : tell("take_failed", { problem: "PNG" })));
    }

    const page = () => give(`presencia-${store.get().year}.html`, "text/html;charset=utf-8", saved(app));

    async function copy() {
      const address = link(app);
      field.hidden = true;
      try {
        await navigator.clipboard.writeText(address);
        tell("take_copied");
      } catch {
        field.value = address;
        field.hidden = false;
        field.setAttribute("aria-label", say.text("take_link"));
        field.focus();
        field.select();
        tell("take_copy_by_hand");
      }
    }

    /* What a page can draw may still be barred from leaving it, such as an image of another host. */
    const careful = (act) => ({ currentTarget }) => {
      currentTarget.after(said);
      try {
        act();
      } catch (problem) {
        tell("take_failed", { problem: short(problem.message) });
      }
    };

    function button(id, act) {
      return node("button", { type: "button", class: "pr-button pr-take-button", id: "pr-take-" + id, click: careful(act) },
        node("span", {}, say.text("take_" + id)), node("small", {}, say.text("take_" + id + "_hint")));
    }

    function excel() {
      const input = node("input", { type: "checkbox", id: "pr-take-excel", change: (event) => { comma = event.target.checked; } });
      input.checked = comma;
      return node("label", { class: "pr-choice pr-take-choice" }, input, node("span", {}, say.text("take_excel")));
    }

    function build() {
      rows = radios(app, wanted, (choice) => { wanted = choice; });
      said.textContent = "";
      byId("pr-tab-take").replaceChildren(
        node("fieldset", { class: "pr-group" }, node("legend", {}, say.text("take_what")), CHOICES.map((choice) => rows[choice].row)),
        button("geojson", () => file("geojson", "application/geo+json", (picked) => geojson(app, picked))),
        button("csv", () => file("csv", "text/csv;charset=utf-8", (picked) => csv(app, picked, comma))), excel(),
        node("h2", {}, say.text("take_view")), button("png", image), button("print", print),
        node("h2", {}, say.text("take_page")), button("save", page), button("copy", copy), field);
      update();
    }

    /* A choice that holds nothing cannot be made; one that was made and holds nothing now gives way until it does again. */
    function update() {
      if (store.get().tab !== "take") return;
      const texts = labels(app);
      for (const choice of CHOICES) {
        const picked = pick(app, choice);
        const { input, label, count } = rows[choice];
        label.textContent = texts[choice];
        input.disabled = !size(picked);
        count.textContent = input.disabled && ["chosen", "department"].includes(choice) ? "" : counted(picked);
      }
      const usual = rows[usable()];
      if (usual) usual.input.checked = true;
    }

    build();
    store.on(["lang"], build);
    store.on(["tab", "year", "chosen", "department", "weights", "method", "minimum", "only", "top", "lockedIn", "lockedOut"], update);
  }

  presencia.take = take;
})((window.presencia = window.presencia || {}));
