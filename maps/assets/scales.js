/* From values to classes, from classes to colours and words, and the legend that explains them. */
(function (presencia) {
  const { node, byId } = presencia.dom;
  const { SCORES } = presencia.store;
  const GROUND = "#f4f3f0";

  /* Fills by number: those of the classes, then of zero, of what does not apply and of what is missing. */
  const fills = ({ colours, zero, absent, missing: hatch }) => [...colours, zero || GROUND, absent || GROUND, hatch];
  const zero = (scale) => scale.colours.length;
  const absent = (scale) => scale.colours.length + 1;
  const missing = (scale) => scale.colours.length + 2;

  function place(scale, value) {
    if (Number.isNaN(value)) return missing(scale);
    if (scale.categories.length) return value;
    if (value === 0 && scale.zero) return zero(scale);
    let above = scale.breaks.length;
    while (above && value < scale.breaks[above - 1]) above -= 1;
    return above;
  }

  /* Missing stands apart from zero, and both from a measure that does not apply: a score is missing where the
     municipality is a candidate, or where nobody measured whether it is one. */
  function classes(scale, values, scored, coca) {
    const found = new Uint8Array(values.length);
    for (let at = 0; at < found.length; at += 1) found[at] = place(scale, values[at]);
    if (!scale.absent) return found;
    const candidate = new Set(scored.places);
    found.forEach((kind, at) => {
      if (kind === missing(scale) && !candidate.has(at) && !(coca && Number.isNaN(coca[at]))) found[at] = absent(scale);
    });
    return found;
  }

  /* The classes of all municipalities in a measure and year, as the state stands. */
  function sorted(app, measure, year) {
    const scale = app.scale(measure);
    const scored = scale.absent ? app.engine.scored({ ...app.store.get(), year }) : null;
    return classes(scale, app.values(measure, year), scored, scored && app.engine.values("coca_ha", year));
  }

  function classify(scale, value, candidate) {
    const kind = place(scale, value);
    if (kind === missing(scale)) return scale.absent && !candidate ? "absent" : "missing";
    return kind === zero(scale) ? "zero" : kind;
  }

  /* Words */

  const name = (field, say, year) => say.text("scales_title_" + field, { year });
  const unit = (scale, say) => say.text("scales_unit_" + scale.unit);

  function titled(scale, say, year) {
    const words = unit(scale, say);
    return name(scale.field, say, year) + (words ? ` (${words})` : "");
  }

  function decimals(limit, most) {
    let digits = 0;
    while (digits < most && Number(limit.toFixed(digits)) !== limit) digits += 1;
    return digits;
  }

  function signed(text, value) {
    return value < 0 ? text.replace("-", "−") : value > 0 ? "+" + text : text;
  }

  function limit(scale, at, say) {
    const value = scale.breaks[at];
    if (scale.unit === "share") return say.percent(value, Math.max(0, decimals(value, scale.decimals) - 2));
    const text = say.number(value, scale.unit === "score" ? scale.decimals : decimals(value, scale.decimals));
    return scale.kind === "diverging" ? signed(text, value) : text;
  }

  /* What a class holds, in words. */
  function label(scale, at, say) {
    const { breaks, kind } = scale;
    if (scale.categories.length) return say.text("scales_class_" + scale.categories[at]);
    if (!breaks.length) return say.text("scales_class_any");
    if (at === 0) return say.text("scales_class_below", { high: limit(scale, 0, say) });
    const low = limit(scale, at - 1, say);
    if (at === breaks.length) return say.text(breaks[at - 1] ? "scales_class_above" : "scales_class_over", { low });
    return say.text(kind === "diverging" ? "scales_class_range" : "scales_class_between", { low, high: limit(scale, at, say) });
  }

  /* A value with its unit; what is small keeps two digits that count. */
  function write(scale, value, say) {
    if (value === null || Number.isNaN(value)) return say.text(scale.absent ? "scales_no_score" : "no_value");
    if (scale.categories.length) {
      const words = label(scale, value, say);
      return words[0].toLocaleLowerCase(say.text("locale")) + words.slice(1);
    }
    if (scale.unit === "score") return say.score(value);
    if (scale.unit === "share") return say.share(value);
    const digits = Number.isInteger(value) ? 0 : Math.min(6, Math.max(1, 1 - Math.floor(Math.log10(Math.abs(value)))));
    const text = say.number(value, digits);
    return `${scale.kind === "diverging" ? signed(text, value) : text} ${unit(scale, say)}`.trim();
  }

  /* Legend */

  function special(scale, kind, { say, store }) {
    const { only, minimum } = store.get();
    if (kind === "absent") return only ? say.text("scales_class_no_candidate") : say.text("scales_class_absent", { minimum: say.number(minimum, decimals(minimum, 2)) });
    if (kind === "zero") return scale.kind === "diverging" ? say.text("scales_class_same") : scale.unit === "share" ? say.share(0) : "0";
    const own = "scales_missing_" + scale.field;
    return say.text(say.has(own) ? own : "scales_class_missing");
  }

  /* From high to low, and a change's zero in their midst; then what is none of the classes. */
  function entries(scale, app) {
    const { say } = app;
    const listed = fills(scale).map((colour, at) => ({ at, colour, label: at < scale.colours.length ? label(scale, at, say) : null, about: scale.categories[at] }));
    const own = listed.slice(0, zero(scale));
    const [none, other, gap] = ["zero", "absent", "missing"].map((kind, order) => ({ ...listed[zero(scale) + order], kind, label: special(scale, kind, app) }));
    if (!scale.categories.length) own.reverse();
    if (scale.zero) own.splice(scale.kind === "diverging" ? own.length / 2 : own.length, 0, none);
    const { only, minimum } = app.store.get();
    return [...own, ...(scale.absent && (only || minimum > 0) ? [other] : []), gap];
  }

  function swatch({ kind, colour }) {
    const made = node("span", { class: "pr-swatch" + (kind ? " pr-swatch-" + kind : ""), "aria-hidden": "true" });
    if (kind !== "missing") made.style.backgroundColor = colour;
    return made;
  }

  function row(entry, say) {
    const count = node("span", {});
    const unseen = (text) => node("span", { class: "pr-unseen" }, text);
    const about = entry.about ? node("small", { class: "pr-about" }, " " + say.text("scales_about_" + entry.about)) : null;
    const element = node("li", {}, swatch(entry), node("span", { class: "pr-label" }, entry.label, about),
      node("span", { class: "pr-count" }, unseen(": "), count, unseen(" " + say.text("scales_towns"))));
    return { ...entry, element, count };
  }

  /* One measure's classes: made anew when the measure or the words change, else only counted. */
  function block(app, list) {
    const { say, store } = app;
    let [shown, rows] = ["", []];
    return (measure, year) => {
      const scale = app.scale(measure);
      const { lang, minimum, only, department } = store.get();
      const key = [measure, lang, minimum, only].join("|");
      if (key !== shown) rows = entries(scale, app).map((entry) => row(entry, say));
      const counts = new Uint32Array(missing(scale) + 1);
      sorted(app, measure, year).forEach((kind, at) => { if (!department || app.model.towns[at].department_code === department) counts[kind] += 1; });
      for (const { at, count } of rows) count.textContent = say.number(counts[at]);
      const gap = rows[rows.length - 1].element;
      if (key !== shown) list.replaceChildren(...rows.map(({ element }) => element));
      if (counts[missing(scale)]) list.append(gap);
      else gap.remove();
      shown = key;
    };
  }

  const mark = (id) => node("span", { class: "pr-mark pr-mark-" + id, "aria-hidden": "true" });

  function marks({ say }, overlays) {
    return presencia.store.OVERLAYS.filter((id) => overlays.includes(id)).map((id) =>
      node("li", { class: "pr-legend-line" }, mark(id), node("span", { class: "pr-label" }, say.text("overlay_" + id))));
  }

  function legend(app) {
    const { say, store } = app;
    const titles = [node("summary", {}), node("h2", { class: "pr-legend-title" })];
    const lists = titles.map(() => node("ul", { class: "pr-classes" }));
    const lines = node("ul", { class: "pr-lines" });
    const details = node("details", { open: "" }, titles[0], lists[0], titles[1], lists[1], lines);
    const blocks = lists.map((list) => block(app, list));

    function update() {
      const { measure, year, measure2, year2, compare } = store.get();
      const shown = compare === "off" ? [[measure, year]] : [[measure, year], [measure2, year2]];
      const rest = [titles[1], lists[1]];
      if (compare === "off") rest.forEach((part) => part.remove());
      else lists[0].after(...rest);
      shown.forEach(([field, when], order) => {
        titles[order].textContent = titled(app.scale(field), say, when);
        if (details.open) blocks[order](field, when);
      });
      details.className = compare === "off" ? "" : "pr-both" + (measure === measure2 ? " pr-alike" : "");
    }

    function overlay() {
      const items = marks(app, store.get().overlays);
      lines.replaceChildren(...items);
      lines.hidden = !items.length;
    }

    update();
    overlay();
    byId("pr-legend").replaceChildren(details);
    details.addEventListener("toggle", update);
    store.on(["measure", "year", "compare", "measure2", "year2", "lang", "department", ...SCORES], update);
    store.on(["overlays", "lang"], overlay);
    return { update };
  }

  presencia.scales = { classify, classes, sorted, fills, missing, name, titled, label, write, mark };
  presencia.legend = legend;
})((window.presencia = window.presencia || {}));
