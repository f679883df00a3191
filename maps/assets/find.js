/* The search box: a combobox of municipalities and zones after the ARIA practice, and the choice of a department. */
(function (presencia) {
  const { node, byId, apart } = presencia.dom;
  const MOST = 8;
  const [WHOLE, START, WORD, WITHIN, NOWHERE] = [0, 1, 2, 3, 100];
  const IN_DEPARTMENT = 4;
  const SCATTERED = 8;

  /* Text without accents, capitals and punctuation, so that how it was typed does not matter. */
  const fold = (text) => (text || "").normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim();
  const has = (hay, words) => words.every((word) => hay.includes(word));

  function standing(text, query) {
    const at = text.indexOf(query);
    if (at < 0) return NOWHERE;
    if (at === 0) return text.length === query.length ? WHOLE : START;
    return text.includes(" " + query) ? WORD : WITHIN;
  }

  function closeness({ name, code, department }, query, words) {
    const coded = code.startsWith(query) ? (code === query ? WHOLE : START) : NOWHERE;
    const near = Math.min(standing(name, query), coded, IN_DEPARTMENT + standing(department, query));
    return near < NOWHERE || !has(`${name} ${department} ${code}`, words) ? near : SCATTERED;
  }

  function indexed({ say, model }) {
    const towns = model.towns.map(({ place, code, name, department }) => ({ place, id: code, title: name, where: department, code, name: fold(name), department: fold(department) }));
    const ofZone = ({ id, name, members }) => ({ id, title: name, where: say.text("find_zone", { count: say.number(members.length) }), code: fold(id), name: fold(name), department: "" });
    return (scored) => [...towns, ...scored.zones.map(ofZone)];
  }

  /* Best first: how near the match is, then the rank, then the alphabet. */
  function searcher(app) {
    const entries = indexed(app);
    return (typed) => {
      const query = fold(typed);
      if (!query) return [];
      const scored = app.scored();
      const words = query.split(" ");
      const rank = ({ place }) => (place !== undefined && scored.rank[place]) || Infinity;
      const collator = new Intl.Collator(app.say.text("locale"));
      const order = (one, other) => one.near - other.near || (one.rank === other.rank ? 0 : one.rank - other.rank) || collator.compare(one.entry.title, other.entry.title);
      return entries(scored)
        .map((entry) => ({ entry, near: closeness(entry, query, words), rank: rank(entry) }))
        .filter(({ near }) => near < NOWHERE).sort(order);
    };
  }

  function option({ entry, rank }, order, { say }) {
    const standing = rank < Infinity ? node("span", { class: "pr-find-rank" }, say.text("find_rank", { rank: say.number(rank) })) : null;
    return node("li", { role: "option", id: "pr-find-" + order, class: "pr-find-option", "data-id": entry.id, "aria-selected": "false" },
      node("span", { class: "pr-find-name" }, entry.title), standing, node("span", { class: "pr-find-place" }, `${apart(entry.where)} · ${entry.id}`));
  }

  function told(count, say) {
    if (!count) return say.text("find_none");
    return say.text(count === 1 ? "find_one" : count > MOST ? "find_many" : "find_some", { count: say.number(count), shown: MOST });
  }

  function combobox(app) {
    const { say } = app;
    const search = searcher(app);
    const list = node("ul", { id: "pr-find-list", role: "listbox" });
    const note = node("p", { class: "pr-find-note pr-quiet" });
    const drop = node("div", { class: "pr-find-drop", hidden: "" }, list, note);
    const input = node("input", {
      type: "text", id: "pr-find-input", role: "combobox", autocomplete: "off", spellcheck: "false", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "pr-find-list",
    });
    const label = node("label", { for: "pr-find-input" });
    let active = -1;

    function point(order) {
      list.children[active]?.setAttribute("aria-selected", "false");
      active = order;
      const option = list.children[active];
      option?.setAttribute("aria-selected", "true");
      option?.scrollIntoView({ block: "nearest" });
      if (option) input.setAttribute("aria-activedescendant", option.id);
      else input.removeAttribute("aria-activedescendant");
    }

    function close() {
      point(-1);
      list.replaceChildren();
      drop.hidden = true;
      input.setAttribute("aria-expanded", "false");
    }

    function open() {
      const found = search(input.value);
      close();
      if (!fold(input.value)) return;
      const beyond = found.length - MOST;
      list.replaceChildren(...found.slice(0, MOST).map((match, order) => option(match, order, app)));
      note.textContent = !found.length ? say.text("find_none") : beyond > 0 ? say.text("find_more", { count: say.number(beyond) }) : "";
      drop.hidden = false;
      list.hidden = !found.length;
      input.setAttribute("aria-expanded", String(found.length > 0));
      app.announce(told(found.length, say));
    }

    function pick(option) {
      const { id } = option.dataset;
      input.value = "";
      close();
      app.choose(id, { fly: true, focus: true });
    }

    function arrow(step) {
      if (!list.children.length) return open();
      const count = list.children.length;
      point(active < 0 ? (step > 0 ? 0 : count - 1) : (active + step + count) % count);
    }

    function escape() {
      if (drop.hidden && !input.value) return false;
      if (drop.hidden) input.value = "";
      close();
      return true;
    }

    /* Each says whether it used the key; what it did not use moves the cursor in the text, or closes something else. */
    const KEYS = {
      ArrowDown: () => (arrow(1), true),
      ArrowUp: () => (arrow(-1), true),
      Home: () => active >= 0 && (point(0), true),
      End: () => active >= 0 && (point(list.children.length - 1), true),
      Enter: () => { const option = list.children[Math.max(active, 0)]; return Boolean(option) && (pick(option), true); },
      Escape: escape,
    };
    input.addEventListener("keydown", (event) => { if (!event.isComposing && KEYS[event.key]?.()) event.preventDefault(); });
    input.addEventListener("input", open);
    input.addEventListener("blur", close);
    list.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => { const option = event.target.closest("[role=option]"); if (option) pick(option); });

    const word = () => {
      close();
      label.textContent = say.text("find_label");
      input.placeholder = say.text("find_hint");
      list.setAttribute("aria-label", say.text("find_results"));
    };
    word();
    app.store.on(["lang"], word);
    return node("div", { class: "pr-find-box" }, label, input, drop);
  }

  function departments({ model, say, store }) {
    const select = node("select", { id: "pr-department", change: () => store.set({ department: select.value }) });
    const label = node("span", {});
    const fit = ({ department }) => { select.value = department; };
    const word = () => {
      const collator = new Intl.Collator(say.text("locale"));
      const sorted = [...model.departments].sort((one, other) => collator.compare(one.name, other.name));
      label.textContent = say.text("find_department");
      select.replaceChildren(...[{ code: "", name: say.text("find_departments") }, ...sorted].map(({ code, name }) => node("option", { value: code }, name)));
      fit(store.get());
    };
    word();
    store.on(["lang"], word);
    store.on(["department"], fit);
    return node("label", { class: "pr-find-department" }, label, select);
  }

  function find(app) {
    byId("pr-find").replaceChildren(combobox(app), departments(app));
  }

  presencia.find = Object.assign(find, { fold, has });
})((window.presencia = window.presencia || {}));
