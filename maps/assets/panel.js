/* The panel: what to show, the first ten, notes and sources. */
(function (presencia) {
  const { node, byId } = presencia.dom;

  function label(say) {
    for (const element of document.querySelectorAll("[data-text]")) element.textContent = say.text(element.dataset.text);
    for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say.text(element.dataset.label));
  }

  function choice(type, name, value, checked, change, ...content) {
    const input = node("input", { type, name, value, id: `${name}-${value}`, change });
    input.checked = checked;
    return node("label", { class: "pr-choice" }, input, ...content);
  }

  function measures(scales, chosen, { say }, paint) {
    byId("pr-measures").append(...scales.map((scale) =>
      choice("radio", "pr-measure", scale.field, scale.field === chosen, () => paint(scale), node("span", {}, say.text("measure_" + scale.field)))));
  }

  function overlays(list, { say }, toggle) {
    byId("pr-overlays").append(...list.map((overlay) =>
      choice("checkbox", "pr-overlay", overlay.id, overlay.shown, (event) => toggle(overlay, event.target.checked),
        presencia.scales.mark(overlay.id), node("span", {}, say.text("overlay_" + overlay.id)))));
  }

  function finding({ model, say }) {
    const high = model.towns.filter((town) => town.high_cultivation);
    const vacated = high.filter((town) => town.vacated);
    byId("pr-finding").textContent = say.text("finding", { high: say.number(high.length), vacated: say.number(vacated.length) });
  }

  function first(town, { say, pick }) {
    return node("li", {}, node("button", { type: "button", class: "pr-entry", "data-code": town.code, "aria-pressed": "false", click: () => pick(town.code) },
      node("span", { class: "pr-rank" }, say.number(town.rank)),
      node("span", { class: "pr-name" }, town.name, " ", node("small", {}, town.department)),
      node("span", { class: "pr-value" }, say.score(town.score))));
  }

  function top(context) {
    const rows = context.model.ranked.slice(0, 10).map((town) => first(town, context));
    byId("pr-top").replaceChildren(...(rows.length ? rows : [node("li", { class: "pr-quiet" }, context.say.text("top_none"))]));
  }

  function press(code) {
    for (const button of document.querySelectorAll("#pr-top [data-code]")) button.setAttribute("aria-pressed", String(button.dataset.code === code));
  }

  function notes({ model, say }) {
    const silent = model.silent("station_km");
    const gap = silent.length ? [say.text("note_station", { departments: silent.join(", ") })] : [];
    const texts = ["note_score", "note_rank", "note_vacated", "note_missing"].map((key) => say.text(key));
    byId("pr-notes").append(...[...texts, ...gap, say.text("note_eradication"), say.text("note_borders")].map((text) => node("li", {}, text)));
  }

  function sources(list) {
    byId("pr-sources").append(...list.map((source) =>
      node("li", {}, node("strong", {}, source.title), ". " + [source.publisher, source.vintage, source.licence].filter(Boolean).join(" · "))));
  }

  /* On a narrow screen the panel is a sheet that opens and closes; on a wide one it always stands beside the map. */
  function sheet() {
    const [open, hide, panel] = ["pr-open", "pr-hide", "pr-panel"].map(byId);
    const set = (shown) => {
      document.body.classList.toggle("pr-sheet", shown);
      open.setAttribute("aria-expanded", String(shown));
    };
    open.addEventListener("click", () => { set(true); panel.querySelector("input:checked")?.focus(); });
    hide.addEventListener("click", () => { set(false); open.focus(); });
    return { close: () => set(false), isOpen: () => document.body.classList.contains("pr-sheet"), hide: () => hide.click() };
  }

  presencia.panel = { label, measures, overlays, finding, top, press, notes, sources, sheet };
})((window.presencia = window.presencia || {}));
