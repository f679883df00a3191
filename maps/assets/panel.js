/* The panel: language, tabs, what the map shows and compares, the first ten, notes and sources. */
(function (presencia) {
  const { node, byId, apart } = presencia.dom;
  const { TABS } = presencia.store;
  const FIRST = 10;

  function label(say) {
    for (const element of document.querySelectorAll("[data-text]")) element.textContent = say.text(element.dataset.text);
    for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say.text(element.dataset.label));
  }

  function languages({ data, store }) {
    const buttons = Object.entries(data.texts).map(([lang, texts]) =>
      node("button", { type: "button", lang, "data-lang": lang, class: "pr-lang", click: () => store.set({ lang }) }, texts.language_name));
    const press = ({ lang }) => buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.lang === lang)));
    byId("pr-langs").replaceChildren(...buttons);
    press(store.get());
    store.on(["lang"], press);
  }

  /* Tabs after the ARIA practice: one stop of the Tab key, arrows between them. */
  function tabs({ store, say }) {
    const buttons = TABS.map((tab) =>
      node("button", { type: "button", role: "tab", id: "pr-to-" + tab, "aria-controls": "pr-tab-" + tab, class: "pr-tab-button", click: () => store.set({ tab }) }));
    function show({ tab }) {
      TABS.forEach((each, order) => {
        const chosen = each === tab;
        buttons[order].setAttribute("aria-selected", String(chosen));
        buttons[order].tabIndex = chosen ? 0 : -1;
        byId("pr-tab-" + each).hidden = !chosen;
      });
    }
    function walk(event) {
      const step = { ArrowRight: 1, ArrowLeft: -1, Home: -TABS.length, End: TABS.length }[event.key];
      if (!step) return;
      event.preventDefault();
      const now = TABS.indexOf(store.get().tab);
      const next = Math.abs(step) === 1 ? (now + step + TABS.length) % TABS.length : step < 0 ? 0 : TABS.length - 1;
      store.set({ tab: TABS[next] });
      buttons[next].focus();
    }
    const word = () => buttons.forEach((button, order) => { button.textContent = say.text("tab_" + TABS[order]); });
    TABS.forEach((tab) => {
      const panel = byId("pr-tab-" + tab);
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", "pr-to-" + tab);
    });
    byId("pr-tabs").replaceChildren(...buttons);
    byId("pr-tabs").addEventListener("keydown", walk);
    word();
    show(store.get());
    store.on(["tab"], show);
    store.on(["lang"], word);
  }

  function field(text, control) {
    return node("label", { class: "pr-field" }, node("span", {}, text), control);
  }

  function measureSelect({ data, say, store }, id, key) {
    const groups = [...new Set(data.scales.map((scale) => scale.group))];
    const option = ({ field: name }) => node("option", { value: name }, say.text("scales_measure_" + name));
    const select = node("select", { id, change: (event) => store.set({ [key]: event.target.value }) }, groups.map((group) => {
      const options = data.scales.filter((scale) => scale.group === group).map(option);
      return options.length > 1 ? node("optgroup", { label: say.text("group_" + group) }, options) : options;
    }));
    select.value = store.get()[key];
    return select;
  }

  function overlays({ data, say, store }) {
    return presencia.store.OVERLAYS.map((id) => {
      const input = node("input", { type: "checkbox", value: id, id: "pr-overlay-" + id, change: (event) => toggle(event.target.checked) });
      const toggle = (on) => {
        const others = store.get().overlays.filter((other) => other !== id);
        store.set({ overlays: on ? [...others, id] : others });
      };
      input.checked = store.get().overlays.includes(id);
      const choice = node("label", { class: "pr-choice" }, input, presencia.scales.mark(id), node("span", {}, say.text("overlay_" + id)));
      choice.hidden = data[id]?.count === 0; // a public map has no posts
      return choice;
    });
  }

  function comparing({ say, store }) {
    return ["off", "side", "swipe"].map((mode) => {
      const input = node("input", { type: "radio", name: "pr-compare", value: mode, id: "pr-compare-" + mode, change: () => store.set({ compare: mode }) });
      input.checked = store.get().compare === mode;
      return node("label", { class: "pr-choice" }, input, node("span", {}, say.text("compare_" + mode)));
    });
  }

  function layersTab(app) {
    const { say, store } = app;
    const group = (title, ...content) => node("fieldset", { class: "pr-group" }, node("legend", {}, say.text(title)), ...content);
    const second = field(say.text("compare_measure"), measureSelect(app, "pr-measure2", "measure2"));
    byId("pr-tab-layers").replaceChildren(
      field(say.text("colour_by"), measureSelect(app, "pr-measure", "measure")),
      group("show_on_top", ...overlays(app)),
      group("compare_title", node("div", { class: "pr-row" }, comparing(app)), second),
      node("div", { class: "pr-section" }, node("h2", { id: "pr-top-title" }), node("ol", { id: "pr-top", class: "pr-top", "aria-labelledby": "pr-top-title" })));
    const fit = (state) => {
      byId("pr-measure").value = state.measure;
      byId("pr-measure2").value = state.measure2;
      second.hidden = state.compare === "off";
      for (const id of presencia.store.OVERLAYS) byId("pr-overlay-" + id).checked = state.overlays.includes(id);
      byId("pr-compare-" + state.compare).checked = true;
    };
    fit(store.get());
    return fit;
  }

  function entry(app) {
    const parts = ["rank", "name", "value"].map((name) => node("span", { class: "pr-" + name }));
    const place = node("small", {});
    const name = document.createTextNode("");
    parts[1].append(name, " ", place);
    const button = node("button", { type: "button", class: "pr-entry", click: () => app.choose(button.dataset.code, { fly: true, focus: true }) }, parts);
    const row = node("li", {}, button);
    return { row, fill: (town, rank, score, pressed) => {
      button.dataset.code = town.code;
      button.setAttribute("aria-pressed", String(pressed));
      parts[0].textContent = app.say.number(rank);
      name.data = apart(town.name);
      place.textContent = town.department;
      parts[2].textContent = app.say.score(score);
    } };
  }

  function top(app) {
    const entries = Array.from({ length: FIRST }, () => entry(app));
    return (state) => {
      const scored = app.scored();
      const ranked = Array.from(scored.ranked).filter((place) => !state.department || app.model.towns[place].department_code === state.department).slice(0, FIRST);
      byId("pr-top-title").textContent = app.say.text(state.department ? "top_title_department" : "top_title", { year: state.year });
      ranked.forEach((place, order) => {
        const town = app.model.towns[place];
        entries[order].fill(town, scored.rank[place], scored.score[place], town.code === state.chosen);
      });
      const rows = entries.slice(0, ranked.length).map(({ row }) => row);
      const list = byId("pr-top");
      if (list.children.length !== rows.length || list.firstChild !== rows[0]) list.replaceChildren(...(rows.length ? rows : [node("li", { class: "pr-quiet" }, app.say.text(state.department ? "top_none_department" : "top_none", { year: state.year }))]));
    };
  }

  function finding(app) {
    const { year } = app.store.get();
    const { high } = app.scored();
    const places = app.model.towns.filter((town) => high[town.place]);
    const left = places.filter((town) => town.vacated);
    byId("pr-finding").textContent = app.say.text("finding", { high: app.say.number(places.length), vacated: app.say.number(left.length), year });
  }

  function notes({ data, model, say, store }) {
    const { minimum } = store.get();
    const silent = model.silent("station_km");
    const gap = silent.length ? [say.text("note_station", { departments: silent.map(apart).join(", ") })] : [];
    const texts = ["note_score", "note_rank", "note_vacated", "note_missing", "note_live", "note_keys"].map((key) => say.text(key, { minimum_coca_ha: say.number(minimum, minimum % 1 ? 1 : 0) }));
    const items = [...texts, ...gap, say.text("note_rights"), say.text("note_eradication"), say.text("note_borders")];
    const source = ({ title, publisher, vintage, licence }) => node("li", {}, node("strong", {}, apart(title)), ". " + [publisher, vintage, licence].filter(Boolean).map(apart).join(" · "));
    byId("pr-tab-notes").replaceChildren(
      node("h2", {}, say.text("notes_title")), node("ul", { id: "pr-notes", class: "pr-notes" }, items.map((text) => node("li", {}, text))),
      node("h2", {}, say.text("sources_title")), node("ul", { id: "pr-sources", class: "pr-notes" }, data.sources.map(source)));
  }

  /* On a narrow screen the panel is a sheet that opens and closes; on a wide one it always stands beside the map. */
  function sheet() {
    const [open, hide, panel] = ["pr-open", "pr-hide", "pr-panel"].map(byId);
    const set = (shown) => {
      document.body.classList.toggle("pr-sheet", shown);
      open.setAttribute("aria-expanded", String(shown));
    };
    open.addEventListener("click", () => { set(true); panel.querySelector("input, button").focus(); });
    hide.addEventListener("click", () => { set(false); open.focus(); });
    return { close: () => set(false), isOpen: () => document.body.classList.contains("pr-sheet"), hide: () => hide.click() };
  }

  function panel(app) {
    const { store } = app;
    languages(app);
    tabs(app);
    let fit = layersTab(app);
    const list = top(app);
    const speak = () => { label(app.say); finding(app); notes(app); fit = layersTab(app); list(store.get()); };
    speak();
    store.on(["measure", "measure2", "compare", "overlays"], (state) => fit(state));
    store.on([...presencia.store.SCORES, "year", "department", "chosen", "tab"], (state) => { if (state.tab === "layers") list(state); });
    store.on(["year"], () => finding(app));
    store.on(["year", "minimum", "tab"], ({ tab }) => { if (tab === "notes") notes(app); });
    store.on(["lang"], speak);
    return sheet();
  }

  presencia.panel = panel;
})((window.presencia = window.presencia || {}));
