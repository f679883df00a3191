/* The planner's own weights: a slider a criterion, the method, who is a candidate, and who is locked in or out. */
(function (presencia) {
  const { node, byId, apart } = presencia.dom;
  const MINIMA = [0, 1, 10, 50, 100, 500];
  const ONLY = ["", "vacated", "pdet"];
  const FULL = 100;

  function weights(app) {
    const { data, store, say } = app;
    const { criteria, dimensions } = data.scoring;
    const own = criteria.map((criterion) => FULL * criterion.weight);
    const given = (state) => state.weights || own;
    let rows = [];

    function move(order, value) {
      const changed = [...given(store.get())];
      changed[order] = value;
      if (changed.every((weight) => weight === 0)) return show(store.get());
      store.set({ weights: changed });
    }

    /* Sliders end at the largest weight there is, and never below a third of all. */
    function slider(criterion, order) {
      const id = "pr-weight-" + criterion.name;
      const most = Math.max(FULL / 3, ...own);
      const input = node("input", { type: "range", id, min: 0, max: Math.ceil(most), step: 0.5, "aria-describedby": id + "-share", input: (event) => move(order, Number(event.target.value)) });
      const share = node("output", { id: id + "-share", for: id, class: "pr-weight-share" });
      rows[order] = { input, share };
      return node("div", { class: "pr-weight" }, node("label", { for: id }, say.pick(criterion.label)), share, input);
    }

    function group(dimension) {
      const members = criteria.map((criterion, order) => [criterion, order]).filter(([criterion]) => criterion.dimension === dimension.id);
      if (!members.length) return null;
      const key = node("span", { class: "pr-dimension", "aria-hidden": "true" });
      key.style.backgroundColor = dimension.colour;
      return node("fieldset", { class: "pr-group" }, node("legend", {}, key, say.pick(dimension.label)), members.map(([criterion, order]) => slider(criterion, order)));
    }

    function picker(id, key, choices, label) {
      const select = node("select", { id, change: (event) => store.set({ [key]: typeof choices[0] === "number" ? Number(event.target.value) : event.target.value }) },
        choices.map((choice) => node("option", { value: choice }, label(choice))));
      return node("label", { class: "pr-field" }, node("span", {}, say.text("weights_" + key)), select);
    }

    const ha = (minimum) => (minimum === 0 ? say.text("weights_minimum_all") : say.text("weights_minimum_ha", { ha: say.number(minimum, minimum % 1 ? 1 : 0) }));
    const minima = () => [...new Set([...MINIMA, data.terms.minimum_coca_ha, store.get().minimum])].sort((a, b) => a - b);

    function build() {
      rows = [];
      const top = node("input", { type: "number", id: "pr-top-count", min: 1, max: data.codes.length, step: 1, change: (event) => count(event.target) });
      byId("pr-tab-weights").replaceChildren(
        node("p", { class: "pr-quiet" }, say.text("weights_hint")),
        node("p", { class: "pr-quiet pr-outcome", id: "pr-outcome" }),
        node("button", { type: "button", class: "pr-button", id: "pr-reset", click: reset }, say.text("weights_reset")),
        ...dimensions.map(group).filter(Boolean),
        node("fieldset", { class: "pr-group" }, node("legend", {}, say.text("weights_rules")),
          picker("pr-method", "method", presencia.store.METHODS, (method) => say.text("weights_method_" + method)),
          picker("pr-minimum", "minimum", minima(), ha),
          picker("pr-only", "only", ONLY, (only) => say.text("weights_only_" + (only || "all"))),
          node("label", { class: "pr-field" }, node("span", {}, say.text("weights_top")), top)),
        node("fieldset", { class: "pr-group" }, node("legend", {}, say.text("weights_locks")), node("ul", { id: "pr-locks", class: "pr-chips" })),
        node("p", { class: "pr-quiet" }, say.text("weights_zones")));
      show(store.get());
    }

    function count(input) {
      const top = Math.round(Number(input.value));
      if (top >= 1 && top <= data.codes.length) store.set({ top });
      else input.value = store.get().top;
    }

    function reset() {
      const { weights: none, method, minimum, only, top, lockedIn, lockedOut } = store.usual;
      store.set({ weights: none, method, minimum, only, top, lockedIn, lockedOut });
      app.announce(say.text("weights_was_reset"));
    }

    const unlock = (key, code) => () => { store.set({ [key]: store.get()[key].filter((other) => other !== code) }); byId("pr-reset").focus(); };

    function locks(state) {
      const chips = ["lockedIn", "lockedOut"].flatMap((key) => state[key].map((code) => {
        const { name } = app.model.towns[app.model.place.get(code)];
        return node("li", {}, node("button", { type: "button", class: "pr-chip", "aria-label": say.text("weights_unlock", { name }), click: unlock(key, code) }, say.text("weights_" + key, { name }), " ×"));
      }));
      byId("pr-locks").replaceChildren(...(chips.length ? chips : [node("li", { class: "pr-quiet" }, say.text("weights_no_locks"))]));
    }

    /* How the first k differ from those of the run's own settings. */
    function outcome(state) {
      const first = (scored) => new Set(Array.from(scored.ranked).slice(0, state.top));
      const usual = { ...store.usual, year: state.year };
      const [now, before] = [app.scored(), app.engine.scored(usual)].map(first);
      const names = (these, those) => [...these].filter((place) => !those.has(place)).map((place) => apart(app.model.towns[place].name));
      const [come, gone] = [names(now, before), names(before, now)];
      if (!come.length && !gone.length) return say.text("weights_same", { top: say.number(state.top) });
      const few = (list) => (list.length > 6 ? list.slice(0, 5).join(", ") + " " + say.text("weights_more", { count: list.length - 5 }) : list.join(", ") || "–");
      return say.text("weights_moved", { top: say.number(state.top), come: few(come), gone: few(gone) });
    }

    function show(state) {
      const shown = given(state);
      const sum = shown.reduce((total, weight) => total + weight, 0);
      rows.forEach(({ input, share }, order) => {
        if (Number(input.value) !== shown[order]) input.value = shown[order];
        const text = say.percent(shown[order] / sum, 1);
        if (share.textContent !== text) share.textContent = text;
        input.setAttribute("aria-valuetext", text);
      });
      byId("pr-method").value = state.method;
      byId("pr-minimum").value = state.minimum;
      byId("pr-only").value = state.only;
      byId("pr-top-count").value = state.top;
      byId("pr-outcome").textContent = outcome(state);
    }

    const KEYS = ["weights", "method", "minimum", "only", "top", "year", "lockedIn", "lockedOut", "tab"];
    build();
    locks(store.get());
    store.on(["lang"], () => { build(); locks(store.get()); });
    store.on(KEYS, (state, changed) => {
      if (changed.has("lockedIn") || changed.has("lockedOut")) locks(state);
      if (state.tab === "weights") show(state);
    });
  }

  presencia.weights = weights;
})((window.presencia = window.presencia || {}));
