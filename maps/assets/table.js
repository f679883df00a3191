/* The table: all municipalities, or the zones, sorted, filtered and in pages; the map's equal for who does not see it. */
(function (presencia) {
  const { node, byId } = presencia.dom;
  const { fold, has } = presencia.find;
  const ROWS = 50;
  const REST_MS = 150; // until the rows out of view are written, which a moving slider would otherwise do for each step
  const SUBSETS = ["all", "candidates", "left", "top"];
  const SCORES = ["year", "weights", "method", "minimum", "only", "lockedIn", "lockedOut", "top"];
  const ANEW = ["department", "filter", "sort", "rows"];
  const WORTH_NAMING = 0.005;
  const WHOLE = 1 - 1e-9;
  const EMPTY = "–";
  const [LOWEST, HIGHEST] = [30, 48];

  /* Places in the alphabet, equal names alike; a name that is not there comes last. */
  function alphabet(names, locale) {
    const sorted = [...new Set(names)].filter((name) => name !== null).sort(new Intl.Collator(locale).compare);
    const order = new Map(sorted.map((name, at) => [name, at]));
    return Float64Array.from(names, (name) => order.get(name) ?? NaN);
  }

  /* The same order whichever way: missing values last, equal ones by rank and then as they came. */
  function sorted(items, keys, down, rank) {
    const last = (value) => (value !== value ? 1 : 0);
    const compare = (one, other, values, sign) => last(values[one]) - last(values[other]) || (values[one] === values[other] ? 0 : sign * (values[one] - values[other]) || 0);
    return Int32Array.from(items).sort((one, other) => compare(one, other, keys, down ? -1 : 1) || compare(one, other, rank, 1) || one - other);
  }

  /* ---- Columns: keys to sort by, how a value is written, and what stands where there is none (null: no data) ---- */

  const counted = (say) => (value) => say.number(value, value % 1 ? 1 : 0);
  const none = () => EMPTY;

  function figures({ engine, say }) {
    const measure = (name, write) => ({ id: name, down: true, keys: ({ year }) => engine.values(name, year), write });
    return [
      measure("coca_ha", say.amount), measure("coca_ha_per_km2", (value) => say.number(value, 2)), measure("eradicated_window_ha", say.amount),
      measure("resurgence", say.share), measure("farc_events_window", counted(say)), measure("homicide_rate", say.amount),
      measure("station_km", say.amount), measure("population", (value) => say.number(value)),
    ];
  }

  function flags({ high, coverage, coca }, town) {
    const share = (name) => town[name] >= WORTH_NAMING;
    const gap = Number.isNaN(coverage[town.place]) ? Number.isNaN(coca[town.place]) : coverage[town.place] < WHOLE;
    const known = { high: high[town.place], vacated: town.vacated, pdet: town.pdet, etcr: town.etcr, reserve: share("reserve_share"), council: share("council_share"), park: share("park_share"), gap };
    return Object.keys(known).filter((name) => known[name]);
  }

  function townColumns(app) {
    const { say, model } = app;
    const { towns } = model;
    const names = {};
    const inOrder = (field) => () => {
      const key = field + say.lang;
      names[key] ||= alphabet(towns.map((town) => town[field]), say.text("locale"));
      return names[key];
    };
    const zones = ({ zones: every, zone }) => {
      const order = new Map(every.map(({ id }, at) => [id, at]));
      return Float64Array.from(zone, (id) => order.get(id) ?? NaN);
    };
    const unscored = (place, { coverage, coca }) => (Number.isNaN(coverage[place]) && !Number.isNaN(coca[place]) ? say.text("table_no_candidate") : null);
    const range = ({ rank_low: low, rank_high: high }) => (low === null ? NaN : low * towns.length + high);
    const ranges = Float64Array.from(towns, range);
    return [
      { id: "rank", keys: ({ ranks }) => ranks, write: (value) => say.number(value), gap: none },
      { id: "range", keys: () => ranges, write: (_, place) => `${say.number(towns[place].rank_low)}–${say.number(towns[place].rank_high)}`, gap: none },
      { id: "name", keys: inOrder("name"), write: (_, place) => towns[place].name, aside: (place) => towns[place].code },
      { id: "department", text: true, keys: inOrder("department"), write: (_, place) => towns[place].department },
      { id: "score", down: true, keys: ({ score }) => score, write: say.score, gap: unscored },
      { id: "coverage", down: true, keys: ({ coverage }) => coverage, write: say.share, gap: none },
      ...figures(app),
      { id: "zone", text: true, keys: zones, write: (order, _, now) => now.zones[order].name, gap: none },
      { id: "flags", text: true, write: (_, place, now) => flags(now, towns[place]).map((flag) => say.text("table_flag_" + flag)).join(", ") },
    ];
  }

  function zoneColumns({ say }) {
    const figure = (id, write) => ({ id, down: true, keys: ({ zones }) => Float64Array.from(zones, (zone) => zone[id] ?? NaN), write });
    const whole = (value) => say.number(value);
    return [
      { id: "name", keys: ({ zones }) => alphabet(zones.map((zone) => zone.name), say.text("locale")), write: (_, at, { zones }) => zones[at].name, aside: (at, { zones }) => zones[at].id },
      { id: "members", down: true, keys: ({ zones }) => Float64Array.from(zones, (zone) => zone.members.length), write: whole },
      figure("coca_ha", say.amount), figure("area_km2", whole), figure("population", whole), figure("eradicated_ha", say.amount), figure("score", say.score),
    ];
  }

  /* ---- The two views: their columns, and which rows the state asks for ---- */

  function townView(app) {
    const { towns } = app.model;
    let hay = null;
    const known = ({ name, code, department }) => `${fold(name)} ${code} ${fold(department)}`;
    const fits = {
      all: () => true,
      candidates: (place, { coverage }) => !Number.isNaN(coverage[place]),
      left: (place, { high }) => high[place] && towns[place].vacated,
      top: (place, { ranks }, { top }) => ranks[place] <= top,
    };
    function list(now, state) {
      hay ||= towns.map(known);
      const words = fold(state.filter).split(" ");
      const fit = fits[state.rows] || fits.all;
      return towns.map((town) => town.place).filter((place) =>
        fit(place, now, state) && (!state.department || towns[place].department_code === state.department) && has(hay[place], words));
    }
    return {
      kind: "towns", usual: { by: "rank", down: false }, columns: townColumns(app), list, rank: ({ ranks }) => ranks,
      id: (place) => towns[place].code, place: (place) => place, find: (id) => app.model.place.get(id) ?? -1,
    };
  }

  function zoneView(app) {
    const { towns } = app.model;
    function list({ zones }, { department, filter }) {
      const words = fold(filter).split(" ");
      const hay = (zone) => [zone.name, zone.id, ...zone.members.map((place) => towns[place].name)].map(fold).join(" ");
      return [...zones.keys()].filter((at) => (!department || zones[at].members.some((place) => towns[place].department_code === department)) && has(hay(zones[at]), words));
    }
    return {
      kind: "zones", usual: { by: "score", down: true }, columns: zoneColumns(app), list, rank: ({ zones }) => new Float64Array(zones.length),
      id: (at, { zones }) => zones[at].id, place: () => null, find: (id, { zones }) => zones.findIndex((zone) => zone.id === id),
    };
  }

  /* ---- The grid: rows are made once, then only their text changes ---- */

  const put = (text, words) => { if (text.data !== words) text.data = words; };

  const dress = ({ id, text }) => `pr-col-${id}${text || id === "name" ? "" : " pr-number"}`;

  function header(column, sort) {
    const text = document.createTextNode("");
    if (!column.keys) return { column, text, cell: node("th", { scope: "col", class: dress(column) }, text) };
    const button = node("button", { type: "button", "data-sort": column.id, click: () => sort(column) }, text);
    return { column, text, cell: node("th", { scope: "col", class: dress(column), "aria-sort": "none" }, button) };
  }

  function cellOf(column, button) {
    const text = document.createTextNode("");
    if (column.id !== "name") return { column, text, element: node("td", { class: dress(column) }, text) };
    const aside = document.createTextNode("");
    button.append(text);
    return { column, text, aside, element: node("th", { scope: "row", class: dress(column) }, button, node("small", {}, aside)) };
  }

  function rowOf(columns, choose) {
    const button = node("button", { type: "button", class: "pr-table-name" });
    const cells = columns.map((column) => cellOf(column, button));
    const row = { cells, button, item: -1, element: node("tr", { hidden: true }, cells.map((cell) => cell.element)) };
    button.addEventListener("click", () => choose(row.item));
    return row;
  }

  function fill(row, item, keys, now, say) {
    row.item = item;
    row.cells.forEach(({ column, text, aside, element }, at) => {
      const gap = column.keys && Number.isNaN(keys[at][item]);
      const words = gap ? column.gap?.(item, now) ?? null : column.write(keys[at]?.[item], item, now);
      put(text, words ?? say.text("no_value"));
      if (gap) element.classList.toggle("pr-missing", words === null);
      else element.classList.remove("pr-missing");
      if (aside) put(aside, column.aside(item, now));
    });
  }

  function grid(view, { say, hover, choose, sort }) {
    const heads = view.columns.map((column) => header(column, sort));
    const rows = Array.from({ length: ROWS }, () => rowOf(view.columns, choose));
    const caption = document.createTextNode("");
    const body = node("tbody", {}, rows.map((row) => row.element));
    const table = node("table", { id: "pr-table-grid", class: "pr-grid-" + view.kind },
      node("caption", { class: "pr-unseen" }, caption), node("colgroup", {}, view.columns.map(({ id }) => node("col", { class: "pr-col-" + id }))),
      node("thead", {}, node("tr", {}, heads.map((head) => head.cell))), body);
    const over = (event) => {
      const row = rows.find(({ element }) => element.contains(event.target));
      if (row && row.item >= 0) hover(row.item);
    };
    for (const kind of ["pointerover", "focusin"]) body.addEventListener(kind, over);
    for (const kind of ["pointerleave", "focusout"]) body.addEventListener(kind, () => hover(null));

    function label(title, order, year) {
      put(caption, title);
      for (const { column, text, cell } of heads) {
        put(text, say.text(`table_${view.kind}_${column.id}`, { year }));
        if (column.keys) cell.setAttribute("aria-sort", column.id !== order.by ? "none" : order.down ? "descending" : "ascending");
      }
    }

    let latest = 0;
    function show(items, first, keys, now, chosen, inView) {
      const write = (row, at) => {
        const there = first + at < items.length;
        row.element.hidden = !there;
        if (!there) return;
        fill(row, items[first + at], keys, now, say);
        row.element.setAttribute("aria-rowindex", first + at + 2);
        if (row.item === chosen) row.element.setAttribute("aria-current", "true");
        else row.element.removeAttribute("aria-current");
      };
      const which = (seen) => rows.forEach((row, at) => { if (inView(at) === seen) write(row, at); });
      const mine = ++latest;
      table.setAttribute("aria-rowcount", items.length + 1);
      which(true);
      setTimeout(() => { if (mine === latest) which(false); }, REST_MS);
    }

    const bring = (at) => rows[at].element.scrollIntoView({ block: "nearest", inline: "nearest" });
    return { table, label, show, bring };
  }

  /* ---- The bar above it: which rows, a filter, and pages ---- */

  function bar({ store, say }, turn, close) {
    let subset = "all";
    const toggles = ["towns", "zones"].map((kind) => node("button", { type: "button", "data-view": kind, class: "pr-toggle", click: () => store.set({ rows: kind === "zones" ? kind : subset }) }));
    const group = node("div", { role: "group", class: "pr-toggles" }, toggles);
    const options = SUBSETS.map((id) => node("option", { value: id }));
    const show = node("select", { id: "pr-table-show", change: () => store.set({ rows: show.value }) }, options);
    const filter = node("input", { id: "pr-table-filter", type: "text", autocomplete: "off", spellcheck: "false", maxlength: 100, input: () => store.set({ filter: filter.value }) });
    const step = (name, sign, by) => node("button", { type: "button", id: "pr-table-" + name, class: "pr-step", click: () => turn(Number(page.value) + by) }, sign);
    const page = node("select", { id: "pr-table-page", change: () => turn(Number(page.value)) });
    const [back, on] = [step("previous", "‹", -1), step("next", "›", 1)];
    let count = "";
    const title = node("h2", { id: "pr-table-title" });
    const shut = node("button", { type: "button", class: "pr-close", click: close }, "×");
    const total = node("span", { class: "pr-table-total", "aria-hidden": "true" });
    const pager = node("div", { class: "pr-pager" }, back, page, total, on);
    const element = node("div", { class: "pr-table-bar" }, title, shut, group, show, filter, pager);

    function word() {
      toggles.forEach((button) => { button.textContent = say.text("table_view_" + button.dataset.view); });
      for (const [control, key] of [[group, "view"], [show, "show"], [filter, "filter"], [page, "page"], [back, "previous"], [on, "next"], [shut, "close"]]) control.setAttribute("aria-label", say.text("table_" + key));
      filter.placeholder = say.text("table_filter");
      page.replaceChildren();
    }

    function fit(state) {
      const rows = state.rows || "all";
      if (rows !== "zones") subset = rows;
      toggles.forEach((button) => button.setAttribute("aria-pressed", String((button.dataset.view === "zones") === (rows === "zones"))));
      options.forEach((option) => put(option.firstChild || option.appendChild(new Text()), say.text("table_show_" + option.value, { count: say.number(state.top) })));
      show.hidden = rows === "zones";
      show.value = subset;
      if (filter.value !== state.filter) filter.value = state.filter;
    }

    const span = (at, total) => ({ first: say.number(Math.min(at * ROWS + 1, total)), last: say.number(Math.min((at + 1) * ROWS, total)), total: say.number(total) });

    function pages(now, rows) {
      const most = Math.max(1, Math.ceil(rows / ROWS));
      const names = Array.from({ length: most }, (_, at) => say.text("table_rows", span(at, rows)));
      if (page.options.length !== most || page.options[most - 1].text !== names[most - 1]) page.replaceChildren(...names.map((name, at) => node("option", { value: at }, name)));
      page.value = now;
      back.setAttribute("aria-disabled", String(now === 0));
      on.setAttribute("aria-disabled", String(now === most - 1));
      count = say.text(rows ? "table_count" : "table_none", span(now, rows));
      total.textContent = say.text(rows ? "table_of" : "table_none", span(now, rows));
    }

    return { element, word, fit, pages, title: (text) => { title.textContent = text; }, count: () => count };
  }

  /* ---- The drawer ---- */

  function title({ say, model }, { department, rows, year }) {
    const name = model.departments.find(({ code }) => code === department)?.name;
    return say.text(rows === "zones" ? "table_title_zones" : "table_title", { year }) + (name ? " · " + name : "");
  }

  /* All that columns and lists draw on, as of now. */
  function snapshot(app) {
    const { year } = app.store.get();
    const { high, coverage, score, rank, zones, zone, asRun } = app.scored();
    const ranks = Float64Array.from(rank, (value) => value || NaN);
    return { year, high, coverage, score, ranks, zones, zone, asRun, coca: app.engine.values("coca_ha", year) };
  }

  function ordered(view, { sort, rows }, { asRun }) {
    const known = view.columns.some((column) => column.keys && column.id === sort.by) && (sort.by !== "range" || asRun);
    return known ? sort : view.usual;
  }

  function table(app) {
    const { store, say } = app;
    const [box, opener] = ["pr-table", "pr-table-open"].map(byId);
    const scroller = node("div", { class: "pr-table-scroll", role: "group", tabindex: 0, "aria-labelledby": "pr-table-title" });
    const views = {};
    let [page, items, shown, waiting] = [0, [], null, false];
    const frame = { top: 0, height: 0 };

    const now = () => snapshot(app);
    const close = () => { store.set({ table: false }); opener.focus(); };
    const tools = bar(app, turn, close);

    function made(kind) {
      if (!views[kind]) {
        const view = kind === "zones" ? zoneView(app) : townView(app);
        const hover = (item) => app.hover?.(item === null ? null : view.place(item));
        const choose = (item) => app.choose(view.id(item, now()), { fly: true, focus: true });
        const sort = (column) => resort(view, column);
        views[kind] = { ...view, ...grid(view, { say, hover, choose, sort }) };
      }
      return views[kind];
    }

    function resort(view, { id, down = false }) {
      const before = ordered(view, store.get(), app.scored());
      store.set({ sort: { by: id, down: before.by === id ? !before.down : down } });
      const way = say.text(store.get().sort.down ? "table_falling" : "table_rising");
      app.announce(say.text("table_sorted", { column: say.text(`table_${view.kind}_${id}`, { year: store.get().year }), way }));
    }

    function rewind(to = 0) {
      page = to;
      scroller.scrollTop = frame.top = 0;
    }

    function turn(to) {
      const most = Math.ceil(items.length / ROWS) - 1;
      if (to < 0 || to > most || to === page) return;
      rewind(to);
      refresh();
      app.announce(tools.count());
    }

    /* Rows that may be in view, by how low and high rows are; the others can wait until the frame is drawn. */
    const inView = (at) => (at + 1) * HIGHEST >= frame.top && at * LOWEST <= frame.top + frame.height;

    /* Of the chosen one, its page; else the page that was open, if there still are so many. */
    function refresh(follow = false, soon = () => true) {
      const state = store.get();
      const view = made(state.rows === "zones" ? "zones" : "towns");
      const known = now();
      const order = ordered(view, state, known);
      const keys = view.columns.map((column) => column.keys?.(known));
      items = sorted(view.list(known, state), keys[view.columns.findIndex(({ id }) => id === order.by)], order.down, view.rank(known));
      const chosen = view.find(state.chosen, known);
      const at = follow ? items.indexOf(chosen) : -1;
      page = at < 0 ? Math.min(page, Math.max(0, Math.ceil(items.length / ROWS) - 1)) : Math.floor(at / ROWS);
      if (shown !== view) scroller.replaceChildren(view.table);
      shown = view;
      view.table.dataset.run = known.asRun;
      view.label(title(app, state), order, state.year);
      view.show(items, page * ROWS, keys, known, chosen, soon);
      tools.fit(state);
      tools.title(title(app, state));
      tools.pages(page, items.length);
      if (at >= 0) view.bring(at % ROWS);
    }

    function open(focus) {
      const { table: on } = store.get();
      box.hidden = !on;
      opener.setAttribute("aria-expanded", String(on));
      if (!on) return app.hover?.(null);
      tools.word();
      refresh(true);
      if (focus) box.focus();
    }

    /* The map is drawn first: while a slider moves, the table comes a frame later. */
    function soon() {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => setTimeout(() => {
        waiting = false;
        if (store.get().table) refresh(false, inView);
      }));
    }

    function follow(state, changed) {
      if (changed.has("table")) return open(true);
      if (!state.table) return;
      if ([...changed].every((key) => SCORES.includes(key))) return soon();
      if (changed.has("lang")) tools.word();
      const anew = ANEW.some((key) => changed.has(key));
      if (anew) rewind();
      refresh(changed.has("chosen"));
      if (anew && !changed.has("sort")) app.announce(tools.count());
    }

    scroller.addEventListener("scroll", () => { frame.top = scroller.scrollTop; }, { passive: true });
    new ResizeObserver(([{ contentRect }]) => { frame.height = contentRect.height; }).observe(scroller);
    box.tabIndex = -1;
    box.setAttribute("aria-labelledby", "pr-table-title");
    box.replaceChildren(tools.element, scroller);
    opener.addEventListener("click", () => store.set({ table: !store.get().table }));
    store.on(["table", "lang", "chosen", ...ANEW, ...SCORES], follow);
    if (store.get().table) open(false);
    return { close, isOpen: () => store.get().table };
  }

  presencia.table = table;
})((window.presencia = window.presencia || {}));
