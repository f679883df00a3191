/* The bar under the map: the year, its slider laid over the chart of all years, and playing through them. */
(function (presencia) {
  const { node, svg, byId } = presencia.dom;
  const PACE = 700;
  const PAUSE = 500;
  const ROOM = 1.06;
  const SERIES = ["coca", "published", "eradicated", "sprayed"];
  const BARS = [["coca", 0.1, 0.46], ["eradicated", 0.58, 0.16], ["sprayed", 0.76, 0.16]];
  const ICONS = {
    play: "M4 2l10 6-10 6z", pause: "M3 2h4v12H3zM9 2h4v12H9z", before: "M10 2L3 8l7 6zM12 2h2v12h-2z", after: "M6 2l7 6-7 6zM2 2h2v12H2z",
    fold: "M2 5l6 6 6-6", unfold: "M2 11l6-6 6 6",
  };
  const known = (value) => value !== undefined && !Number.isNaN(value);
  const percent = (share) => (100 * share).toFixed(3) + "%";

  /* Hectares by year of the country, or of the chosen department, which no one publishes year by year. */
  function history({ data, engine, model }, years, department) {
    const members = model.towns.filter((town) => town.department_code === department);
    const sum = (measure, year) => {
      const found = members.map((town) => engine.values(measure, year)[town.place]).filter(known);
      return found.length ? found.reduce((total, value) => total + value, 0) : NaN;
    };
    const total = (measure) => (year) => (department ? sum(measure, year) : engine.total(measure, year));
    const reads = {
      coca: total("coca_ha"), published: (year) => (department ? NaN : data.published[year] ?? NaN),
      eradicated: total("eradicated_ha"), sprayed: total("sprayed_ha"),
    };
    return Object.fromEntries(SERIES.map((name) => [name, new Map(years.map((year) => [year, reads[name](year)]))]));
  }

  /* The goal is the nation's, against the total that was published for the year it builds on. */
  function aim({ goal_baseline: first, goal_year: last, goal_share: share }, past) {
    const baseline = past.published.get(first);
    return known(baseline) ? { first, last, level: baseline * (1 - share) } : null;
  }

  function steps(most) {
    const power = 10 ** Math.floor(Math.log10(most / 3));
    const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size > most / 3);
    return Array.from({ length: Math.floor(most / step) }, (_, place) => (place + 1) * step);
  }

  function frame(years, past, goal) {
    const values = SERIES.flatMap((name) => [...past[name].values()]).filter(known);
    const most = Math.max(1, ...values, goal?.level || 0);
    return {
      most, column: (year, share = 0) => percent((year - years[0] + share) / years.length), width: (share) => percent(share / years.length),
      y: (value) => percent(1 - value / (most * ROOM)), height: (value) => percent(value / (most * ROOM)),
    };
  }

  const hectares = (value, say) => (known(value) ? say.amount(value) + " ha" : say.text("no_value"));
  const short = (value, say) => (value >= 1000 && value % 1000 === 0 ? say.text("time_thousands", { value: say.number(value / 1000) }) : say.number(value, value % 1 ? 1 : 0));

  function columns(years, past, at) {
    const bar = (name, year, from, share) => {
      const value = past[name].get(year);
      if (known(value)) return svg("rect", { class: "pr-time-" + name, x: at.column(year, from), width: at.width(share), y: at.y(value), height: at.height(value) });
      return name === "coca" ? svg("rect", { class: "pr-time-gap", fill: "url(#pr-time-hatch)", x: at.column(year), width: at.width(1), height: "100%" }) : null;
    };
    return new Map(years.map((year) => [year, BARS.map(([name, from, share]) => bar(name, year, from, share))]));
  }

  function published(years, past, at) {
    return years.filter((year) => known(past.published.get(year))).map((year) => {
      const y = at.y(past.published.get(year));
      return svg("line", { class: "pr-time-published", x1: at.column(year, 0.03), x2: at.column(year, 0.63), y1: y, y2: y });
    });
  }

  function target(years, goal, at, say) {
    if (!goal) return [];
    const [first, last] = [goal.first, goal.last].map((year) => Math.min(Math.max(year, years[0]), years[years.length - 1]));
    const y = at.y(goal.level);
    const words = say.text("time_goal", { value: say.number(goal.level), year: goal.last });
    return [
      svg("line", { class: "pr-time-goal", x1: at.column(first), x2: at.column(last, 1), y1: y, y2: y }),
      svg("circle", { class: "pr-time-goal-end", cx: at.column(last, 1), cy: y, r: 3 }),
      svg("text", { class: "pr-time-goal-text", x: at.column(first), y, dx: -4, dy: 4, "text-anchor": "end" }, words),
    ];
  }

  function grid(at, say) {
    return steps(at.most).flatMap((value) => [
      svg("line", { class: "pr-time-grid", x1: 0, x2: "100%", y1: at.y(value), y2: at.y(value) }),
      svg("text", { class: "pr-time-scale", x: -5, y: at.y(value), dy: 4, "text-anchor": "end" }, short(value, say)),
    ]);
  }

  function hatch() {
    return svg("pattern", { id: "pr-time-hatch", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      svg("rect", { width: 1.4, height: 5, fill: "#8a9299" }));
  }

  function summary(years, past, goal, where, say) {
    const measured = years.filter((year) => known(past.coca.get(year)));
    if (!measured.length) return say.text("time_chart_none", { where });
    const [first, last] = [measured[0], measured[measured.length - 1]];
    const peak = measured.reduce((best, year) => (past.coca.get(year) > past.coca.get(best) ? year : best), first);
    const told = Object.fromEntries(Object.entries({ first, last, peak }).map(([name, year]) => [name + "_ha", say.amount(past.coca.get(year))]));
    const aimed = goal ? " " + say.text("time_chart_goal", { value: say.number(goal.level), year: goal.last }) : "";
    return say.text("time_chart", { where, first, last, peak, ...told }) + aimed;
  }

  /* Drawn in shares of its box, so that it fits any width; a change of year only moves its marks. */
  function draw(years, past, goal, where, say) {
    const at = frame(years, past, goal);
    const bars = columns(years, past, at);
    const second = svg("rect", { class: "pr-time-then", width: at.width(1), height: "100%" });
    const picture = svg("svg", { class: "pr-time-chart", role: "img", "aria-label": summary(years, past, goal, where, say) },
      svg("defs", {}, hatch()), grid(at, say), [...bars.values()].flat(), svg("line", { class: "pr-time-floor", x1: 0, x2: "100%", y1: "100%", y2: "100%" }),
      published(years, past, at), target(years, goal, at, say), second);
    const ticks = new Map(years.map((year) => [year, node("span", { class: year % 5 && year !== years[0] && year !== years[years.length - 1] ? "pr-time-minor" : null }, String(year))]));
    let now = null;
    function mark(year, then) {
      for (const [when, on] of [[now, false], [year, true]]) {
        bars.get(when)?.[0].classList.toggle("pr-time-now", on);
        ticks.get(when)?.classList.toggle("pr-time-now", on);
      }
      now = year;
      second.style.display = then ? "" : "none";
      if (then) second.setAttribute("x", at.column(then));
    }
    return { parts: [picture, node("div", { class: "pr-time-ticks", "aria-hidden": "true" }, [...ticks.values()])], mark };
  }

  function table(years, past, shown, where, say) {
    const cells = (year) => shown.map((name) => node("td", {}, known(past[name].get(year)) ? say.amount(past[name].get(year)) : "–"));
    const rows = new Map(years.map((year) => [year, node("tr", {}, node("th", { scope: "row" }, String(year)), cells(year))]));
    const head = ["year", ...shown.map((name) => "time_column_" + name)].map((key) => node("th", { scope: "col" }, say.text(key)));
    const element = node("table", {}, node("caption", {}, say.text("time_caption", { where })), node("thead", {}, node("tr", {}, head)), node("tbody", {}, [...rows.values()]));
    let now = null;
    function mark(year) {
      rows.get(now)?.removeAttribute("aria-current");
      rows.get(year)?.setAttribute("aria-current", "true");
      now = year;
    }
    return { element, mark };
  }

  /* What a year's figures are, beside the sign of each in the chart. */
  function readout(past, shown, say) {
    const when = node("strong", { class: "pr-time-when" });
    const items = shown.map((name) => {
      const value = document.createTextNode("");
      const more = name === "coca" ? node("span", { class: "pr-time-more" }, say.text("time_coca_more")) : null;
      const label = node("span", {}, say.text("time_" + name), more, " ", value);
      return { name, value, element: node("span", { class: "pr-time-item pr-time-item-" + name }, node("span", { class: "pr-time-key pr-time-key-" + name, "aria-hidden": "true" }), label) };
    });
    function read(year) {
      when.textContent = year;
      for (const { name, value, element } of items) {
        value.data = hectares(past[name].get(year), say);
        element.classList.toggle("pr-time-absent", !known(past[name].get(year)));
      }
    }
    return { parts: [when, ...items.map((item) => item.element), node("span", { class: "pr-time-open" }, say.text("time_figures"))], read };
  }

  function iconButton(id, click) {
    const path = svg("path", {});
    const button = node("button", { type: "button", id, class: "pr-time-button", click }, svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, path));
    const set = (name, label, title) => {
      path.setAttribute("d", ICONS[name]);
      button.setAttribute("aria-label", label);
      button.title = title || label;
    };
    return { button, set };
  }

  /* Years without coca data have a column and no map: stepping goes over them the way it was going. */
  function toward(years, now, wanted) {
    const there = wanted > now ? years.find((year) => year >= wanted) : years.findLast((year) => year <= wanted);
    return there ?? now;
  }

  /* One year after the other to the end; anyone who takes the year in hand ends it. */
  function player(app, changed) {
    const { store, engine: { years } } = app;
    const last = years[years.length - 1];
    let timer = 0;
    let own = false;
    function go(year) {
      own = true;
      store.set({ year });
      own = false;
    }
    function step() {
      if (!timer) return;
      const next = toward(years, store.get().year, store.get().year + 1);
      go(next);
      if (next === last) stop();
      else later();
    }
    function later() { timer = setTimeout(() => requestAnimationFrame(step), PACE); }
    function stop() {
      if (!timer) return;
      clearTimeout(timer);
      timer = 0;
      changed();
    }
    function start() {
      if (store.get().year === last) go(years[0]);
      later();
      changed();
    }
    document.addEventListener("visibilitychange", () => { if (document.hidden) stop(); });
    return { stop, toggle: () => (timer ? stop() : start()), playing: () => timer > 0, own: () => own };
  }

  /* Comma and full stop step through the years from wherever nothing is typed. */
  function keyboard(allowed, step) {
    document.addEventListener("keydown", (event) => {
      const way = { ",": -1, ".": 1 }[event.key];
      if (!way || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || !allowed()) return;
      if (event.target.closest?.("input:not([type=range], [type=checkbox], [type=radio]), select, textarea, [contenteditable]")) return;
      event.preventDefault();
      step(way);
    });
  }

  /* The bar's parts, without words. */
  function build(years, acts) {
    const slider = (id, key) => node("input", {
      type: "range", id, class: "pr-time-range", min: years[0], max: years[years.length - 1], step: 1,
      input: (event) => acts.slide(key, Number(event.target.value)), pointerdown: acts.stop, keydown: acts.stop,
    });
    const parts = {
      box: byId("pr-time"), first: slider("pr-time-year", "year"), second: slider("pr-time-year2", "year2"),
      now: node("p", { class: "pr-time-year", id: "pr-time-now" }), second_year: node("b", {}), second_words: node("span", {}),
      note: node("span", { class: "pr-time-note", id: "pr-time-note" }), whose: node("span", { id: "pr-time-whose" }),
      chart: node("div", { class: "pr-time-drawing" }), figures: node("div", {}), readout: node("summary", { id: "pr-time-readout" }),
      keys: node("input", { type: "checkbox", id: "pr-time-keys" }), keys_words: node("span", {}),
      before: iconButton("pr-time-before", acts.before), play: iconButton("pr-time-play", acts.play),
      after: iconButton("pr-time-after", acts.after), fold: iconButton("pr-time-fold", acts.fold),
    };
    parts.keys.checked = true;
    parts.plot = node("div", { class: "pr-time-plot" }, parts.chart, node("p", { class: "pr-time-tags" }, parts.note, parts.whose), parts.first);
    parts.label = node("label", { class: "pr-time-label", for: parts.second.id }, parts.second_words, " ", parts.second_year);
    parts.details = node("details", { class: "pr-time-figures", id: "pr-time-figures" }, parts.readout,
      node("div", { class: "pr-time-sheet" }, node("label", { class: "pr-choice" }, parts.keys, parts.keys_words), parts.figures));
    const steer = node("div", { class: "pr-time-steer" }, parts.now, parts.before.button, parts.play.button, parts.after.button);
    parts.box.replaceChildren(steer, parts.plot, parts.label, parts.second, parts.details, parts.fold.button);
    return parts;
  }

  /* Thumbs as wide as a column, and the height of the bar for those who stand on it. */
  function measure({ box, plot }, count) {
    const watch = new ResizeObserver(() => {
      box.style.setProperty("--pr-pitch", plot.clientWidth / count + "px");
      document.documentElement.style.setProperty("--pr-time", box.offsetHeight + "px");
    });
    watch.observe(box);
    watch.observe(plot);
  }

  function note({ engine, say, store, values }) {
    const { measure: field, year, measure2, year2, compare } = store.get();
    const silent = (name, when) => !values(name, when).some(known);
    const [here, there] = [silent(field, year), compare !== "off" && silent(measure2, year2)];
    const key = here && there ? "time_silent_both" : here ? "time_silent" : there ? "time_silent_second" : null;
    if (!key) return "";
    const heard = engine.years.filter((when) => !silent(field, when));
    return say.text(key, { year, year2, first: heard[0] ?? "–", last: heard[heard.length - 1] ?? "–" });
  }

  /* All that is drawn once for a language and a department, and how it follows the years. */
  function view(app, parts, years) {
    const { say, store, engine } = app;
    const { department } = store.get();
    const where = app.model.departments.find(({ code }) => code === department)?.name || say.text("time_country");
    const past = history(app, years, department);
    const goal = aim(app.data.terms, past);
    const shown = SERIES.filter((name) => name === "coca" || [...past[name].values()].some(known));
    const [drawing, rows, reading] = [draw(years, past, goal, where, say), table(years, past, shown, where, say), readout(past, shown, say)];
    const told = (year) => say.text("time_value", { year, where, value: hectares(past.coca.get(year), say) });
    parts.chart.replaceChildren(...drawing.parts);
    parts.figures.replaceChildren(rows.element);
    parts.readout.replaceChildren(...reading.parts);
    parts.whose.textContent = say.text("time_whose", { where });

    function set(input, year) {
      input.value = year;
      input.setAttribute("aria-valuetext", told(year));
    }
    function fit() {
      const { year, year2, compare } = store.get();
      const single = compare === "off";
      set(parts.first, year);
      set(parts.second, year2);
      parts.now.textContent = year;
      parts.second_year.textContent = year2;
      parts.label.hidden = parts.second.hidden = single;
      parts.before.button.setAttribute("aria-disabled", String(year === engine.years[0]));
      parts.after.button.setAttribute("aria-disabled", String(year === engine.years[engine.years.length - 1]));
      parts.note.textContent = note(app);
      drawing.mark(year, single ? null : year2);
      rows.mark(year);
      reading.read(year);
    }
    return { fit, read: reading.read, told };
  }

  function word({ say }, parts, playing) {
    parts.first.setAttribute("aria-label", say.text("time_slider"));
    parts.second_words.textContent = say.text("time_second");
    parts.keys_words.textContent = say.text("time_keys");
    parts.play.set(playing ? "pause" : "play", say.text(playing ? "time_pause" : "time_play"));
    parts.before.set("before", say.text("time_before"), say.text("time_before_key"));
    parts.after.set("after", say.text("time_after"), say.text("time_after_key"));
    const open = !parts.box.classList.contains("pr-time-folded");
    parts.fold.set(open ? "fold" : "unfold", say.text(open ? "time_fold" : "time_unfold"));
    parts.fold.button.setAttribute("aria-expanded", String(open));
  }

  /* The pointer reads a year's figures without choosing it; Escape closes the table of figures before anything else. */
  function listen({ first, box, details, readout: head }, years, store, read) {
    first.addEventListener("pointermove", (event) => {
      const edge = first.getBoundingClientRect();
      const place = Math.floor(((event.clientX - edge.x) / edge.width) * years.length);
      read(years[Math.min(Math.max(place, 0), years.length - 1)]);
    });
    first.addEventListener("pointerleave", () => read(store.get().year));
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !details.open) return;
      event.preventDefault();
      details.open = false;
      head.focus();
    });
  }

  /* Says the year once it has come to rest; whoever is on a slider hears it from there. */
  function speaker(app, quiet, text) {
    let waiting = 0;
    return () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => { if (!quiet() && !document.activeElement?.matches(".pr-time-range")) app.announce(text()); }, PAUSE);
    };
  }

  function time(app) {
    const { store, engine: { years } } = app;
    const last = years[years.length - 1];
    const every = Array.from({ length: last - years[0] + 1 }, (_, place) => years[0] + place);
    const play = player(app, () => { word(app, parts, play.playing()); say(); });
    const go = (key, wanted) => { play.stop(); store.set({ [key]: toward(years, store.get()[key], wanted) }); };
    const step = (way) => go("year", store.get().year + way);
    const parts = build(every, {
      slide: (key, wanted) => { go(key, wanted); shown.fit(); }, stop: play.stop, play: play.toggle, before: () => step(-1), after: () => step(1),
      fold: () => { parts.box.classList.toggle("pr-time-folded"); word(app, parts, play.playing()); },
    });
    const say = speaker(app, play.playing, () => [shown.told(store.get().year), parts.note.textContent].filter(Boolean).join(" "));
    let shown;
    function render() {
      shown = view(app, parts, every);
      word(app, parts, play.playing());
      shown.fit();
    }
    render();
    measure(parts, every.length);
    listen(parts, every, store, (year) => shown.read(year));
    keyboard(() => parts.keys.checked, step);
    store.on(["lang", "department"], render);
    store.on(["year", "year2", "compare", "measure", "measure2"], (_, changed) => {
      if (changed.has("year") && !play.own()) play.stop();
      shown.fit();
      if (changed.has("year")) say();
    });
  }

  presencia.time = time;
})((window.presencia = window.presencia || {}));
