/* The state of the page: one frozen record, who wants to know of its changes, and its place in the address. */
(function (presencia) {
  const same = (one, other) => one === other || JSON.stringify(one) === JSON.stringify(other);
  const METHODS = ["weighted-mean", "geometric-mean", "topsis", "vikor", "promethee"];
  const SCORES = ["weights", "method", "minimum", "only", "lockedIn", "lockedOut"]; // what scores depend on, beside the year
  const TABS = ["layers", "weights", "take", "notes"];
  const OVERLAYS = ["vacated", "zones", "departments", "posts", "etcr"];

  const MOST = 1e6; // of a weight or of hectares; sums of larger ones need not be finite

  function store(initial) {
    let state = Object.freeze({ ...initial });
    const listeners = [];
    function set(patch) {
      const changed = new Set(Object.keys(patch).filter((key) => !same(state[key], patch[key])));
      if (!changed.size) return;
      state = Object.freeze({ ...state, ...patch });
      for (const { keys, act } of listeners) {
        if (keys.some((key) => changed.has(key))) act(state, changed);
      }
    }
    return { get: () => state, set, on: (keys, act) => listeners.push({ keys, act }) };
  }

  function defaults(data) {
    return {
      lang: data.lang, year: data.year, measure: "score", compare: "off", measure2: "coca_ha", year2: data.year, swipe: 0.5,
      overlays: ["vacated", "departments", ...(data.density ? ["density"] : [])], department: "", weights: null, method: data.scoring.method,
      minimum: data.terms.minimum_coca_ha, only: "", top: data.terms.top, lockedIn: Object.keys(data.scoring.locked_in),
      lockedOut: Object.keys(data.scoring.locked_out), chosen: null, tab: "layers", table: false, sort: { by: "rank", down: false }, rows: "all",
      filter: "", view: null,
    };
  }

  /* How each part of the state is written in the address, and what a reader's address may say. */
  function grammar(data, years) {
    const codes = new Set(data.codes);
    const group = /^(Z\d{5}|E\d{2,4})$/;
    const one = (allowed) => ({ write: String, read: (text) => (allowed.includes(text) ? text : undefined) });
    const number = (fits) => ({ write: String, read: (text) => (text !== "" && fits(Number(text)) ? Number(text) : undefined) });
    const list = (fits) => ({ write: (items) => items.join(","), read: (text) => [...new Set(text.split(",").filter(fits))] });
    const numbers = (fits) => ({
      write: (items) => (items ? items.join(",") : ""),
      read: (text) => { const found = text.split(",").map((part) => (part ? Number(part) : NaN)); return fits(found) ? found : undefined; },
    });
    const fields = data.scales.map((scale) => scale.field);
    const departments = [...new Set(data.codes.map((code) => code.slice(0, 2))), ""];
    const known = (value) => value >= 0 && value <= MOST;
    return {
      lang: one(Object.keys(data.texts)), year: number((year) => years.includes(year)), measure: one(fields), compare: one(["off", "side", "swipe"]),
      measure2: one(fields), year2: number((year) => years.includes(year)), swipe: number((share) => share >= 0 && share <= 1), overlays: list((id) => OVERLAYS.includes(id)),
      department: one(departments), weights: numbers((found) => found.length === data.scoring.criteria.length && found.every(known) && found.some((weight) => weight > 0)),
      method: one(METHODS), minimum: number(known), only: one(["", "vacated", "pdet"]), top: number((count) => Number.isInteger(count) && count >= 1 && count <= data.codes.length),
      lockedIn: list((code) => codes.has(code)), lockedOut: list((code) => codes.has(code)),
      chosen: { write: (id) => id || "", read: (text) => (codes.has(text) || group.test(text) ? text : undefined) },
      tab: one(TABS), table: { write: String, read: (text) => text === "true" },
      sort: { write: ({ by, down }) => (down ? "-" : "") + by, read: (text) => (/^-?\w{1,40}$/.test(text) ? { by: text.replace("-", ""), down: text.startsWith("-") } : undefined) },
      rows: one(["all", "candidates", "left", "top", "zones"]), filter: { write: String, read: (text) => text.slice(0, 100) },
      view: numbers((found) => found.length === 3 && found.every(Number.isFinite) && Math.abs(found[0]) <= 90 && Math.abs(found[1]) <= 180 && found[2] >= 0 && found[2] <= 18),
    };
  }

  function write(state, usual, rules) {
    const parts = new URLSearchParams();
    for (const [key, rule] of Object.entries(rules)) {
      if (!same(state[key], usual[key])) parts.set(key, rule.write(state[key]));
    }
    return parts.toString();
  }

  function read(fragment, rules) {
    const found = {};
    for (const [key, text] of new URLSearchParams(fragment)) {
      const value = Object.hasOwn(rules, key) ? rules[key].read(text) : undefined;
      if (value !== undefined) found[key] = value;
    }
    return found;
  }

  const saved = () => document.querySelector("meta[name=presencia-state]")?.content || "";

  /* A page in a frame of another document has no address of its own to write to. */
  function place(fragment) {
    try {
      history.replaceState(null, "", "#" + fragment);
    } catch {
      return;
    }
  }

  /* Who is locked in cannot be locked out too. */
  function begin(usual, found) {
    const state = { ...usual, ...found };
    return { ...state, lockedOut: state.lockedOut.filter((code) => !state.lockedIn.includes(code)) };
  }

  /* Begin as the address says, or as the page was saved; then keep the address in step. */
  function open(data, years) {
    const usual = defaults(data);
    const rules = grammar(data, years);
    const made = store(begin(usual, read(location.hash.slice(1) || saved(), rules)));
    let waiting = 0;
    made.fragment = () => write(made.get(), usual, rules);
    made.usual = usual;
    made.on(Object.keys(rules), () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => place(made.fragment()), 200);
    });
    window.addEventListener("hashchange", () => made.set(begin(usual, read(location.hash.slice(1), rules))));
    return made;
  }

  presencia.store = { open, OVERLAYS, METHODS, SCORES, TABS };
})((window.presencia = window.presencia || {}));
