/* The card of a municipality or of a zone: kept in step with the year, the weights and the language, in place. */
(function (presencia) {
  const { node, byId, apart } = presencia.dom;
  const SPECIAL = { reserve_share: "card_reserve", council_share: "card_council", park_share: "card_park" };
  const NOTABLE = 0.01;
  const LONG = 1200;
  const PAUSE_MS = 200;
  const WAYS = { in: ["lockedIn", "lockedOut"], out: ["lockedOut", "lockedIn"] };
  const { SCORES } = presencia.store;
  /* Measure, text, how it is written, and its unit. */
  const FIGURES = [
    ["coca_ha", "figure_coca_ha", "amount", "ha"],
    ["change_ha", "card_change", "signed", "ha"],
    ["coca_ha_per_km2", "figure_coca_ha_per_km2", "density", "ha_per_km2"],
    ["coca_trend_ha_per_year", "figure_coca_trend_ha_per_year", "signed", "ha_per_year"],
    ["permanence", "figure_permanence", "share"],
    ["permanence_class", "card_permanence_class", "kind"],
    ["hot_spot", "card_hot_spot", "kind"],
    ["eradicated_ha", "card_eradicated", "amount", "ha"],
    ["eradicated_window_ha", "figure_eradicated_ha", "amount", "ha"],
    ["resurgence", "figure_resurgence", "share"],
    ["sprayed_ha", "card_sprayed", "amount", "ha"],
    ["farc_events_window", "figure_farc_events", "number"],
    ["homicide_rate", "figure_homicide_rate", "amount", "rate"],
    ["station_km", "figure_station_km", "amount", "km"],
    ["people_beyond", "card_people_beyond", "number"],
    ["population", "figure_population", "number"],
    ["area_km2", "figure_area_km2", "number", "km2"],
  ];

  const sum = (values) => values.reduce((total, value) => total + value, 0);

  /* Bring an element to what a fresh one says, in place: focus, scroll and what was opened stay; `data-own` is left alone. */
  function morph(old, fresh) {
    if (old.hasAttribute("data-own")) return;
    if (old.style.cssText !== fresh.style.cssText) old.style.cssText = fresh.style.cssText;
    for (const name of fresh.getAttributeNames()) {
      if (name !== "style" && old.getAttribute(name) !== fresh.getAttribute(name)) old.setAttribute(name, fresh.getAttribute(name));
    }
    for (const name of old.getAttributeNames()) {
      if (name !== "style" && name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    const [before, after] = [[...old.childNodes], [...fresh.childNodes]];
    after.forEach((child, order) => {
      const own = before[order];
      if (!own) old.append(child);
      else if (own.nodeName !== child.nodeName) own.replaceWith(child);
      else if (own.nodeType === Node.ELEMENT_NODE) morph(own, child);
      else if (own.data !== child.data) own.data = child.data;
    });
    before.slice(after.length).forEach((child) => child.remove());
  }

  /* What a name of thousands of letters may fill is bounded, and then scrolled, by the keyboard too. */
  function bounded(tag, attributes, text, ...children) {
    const scrolled = text.length > LONG && { tabindex: 0, class: `${attributes.class || ""} pr-bounded` };
    return node(tag, { ...attributes, ...scrolled }, children.length ? children : text);
  }

  /* A sentence whose name, if it runs from right to left, does not turn the rest around. */
  function sentenceOn(name, text) {
    const at = text.indexOf(name);
    return bounded("p", { class: "pr-why" }, text, text.slice(0, at), node("bdi", {}, name.replace(/[\u2066-\u2069]/g, "")), text.slice(at + name.length));
  }

  function card(app) {
    const { data, engine, model, store, say } = app;
    const why = presencia.why(app);
    const { criteria, dimensions } = data.scoring;
    const box = byId("pr-card");
    let [shown, charted, chart, origin, last, pause] = [null, "", null, null, null, 0];

    const terms = () => ({ ...data.terms, year: store.get().year, station_radius_km: why.words().number(data.terms.station_radius_km) });
    const text = (key, values) => say.text(key, { ...terms(), ...values });
    const valueOf = (measure, place) => engine.values(measure, store.get().year)[place];
    const sumOf = (measure, places) => sum(places.map((place) => valueOf(measure, place)));
    const quiet = (words) => node("p", { class: "pr-quiet" }, words);

    /* Figures */

    const WRITTEN = {
      density: (value) => say.number(value, 2),
      number: (value) => say.number(value, value % 1 && value < 100 ? 1 : 0),
      signed: (value) => (value > 0 ? "+" : "") + say.amount(value).replace("-", "−"),
      amount: say.amount,
      share: say.share,
    };

    function kind(measure, value, town) {
      const scale = app.scale(measure);
      return scale ? presencia.scales.write(scale, value, say, town) : say.text("no_value");
    }

    function entry(label, words, unit, missing) {
      const tail = unit && !missing ? node("span", { class: "pr-unit" }, " " + say.text("unit_" + unit)) : null;
      return [node("dt", {}, label), node("dd", missing ? { class: "pr-missing" } : {}, words, tail)];
    }

    function figure(value, label, style, unit, town, measure) {
      const missing = value === null || Number.isNaN(value);
      const words = missing ? say.text("no_value") : style === "kind" ? kind(measure, value, town) : WRITTEN[style](value);
      return entry(text(label, { baseline: data.terms.goal_baseline }), words, unit, missing);
    }

    /* Spraying ended with its series; a kind that has no classes has no words. */
    const told = ([measure, , style]) => (style === "kind" ? app.scale(measure) : measure !== "sprayed_ha" || sprayed());
    const sprayed = () => data.series.sprayed_ha.years.includes(store.get().year);

    function townFigures(town) {
      const rows = FIGURES.filter(told).map(([measure, label, style, unit]) =>
        figure(measure === "area_km2" ? town.area_km2 : valueOf(measure, town.place), label, style, unit, town, measure));
      return node("dl", { class: "pr-figures" }, rows.flat());
    }

    function distances(places) {
      const known = places.map((place) => model.towns[place].station_km).filter((km) => km !== null);
      if (!known.length) return say.text("no_value");
      const [low, high] = [Math.min(...known), Math.max(...known)].map((km) => say.amount(km));
      return low === high ? low : `${low} – ${high}`;
    }

    function zoneFigures({ record, places, gone }) {
      const of = (measure, field = measure) => (gone ? sumOf(measure, places) : record[field]);
      const area = sum(places.map((place) => model.towns[place].area_km2));
      const far = distances(places);
      return node("dl", { class: "pr-figures" },
        figure(of("coca_ha"), "figure_coca_ha", "amount", "ha"),
        figure(sumOf("change_ha", places), "card_change", "signed", "ha"),
        figure(of("eradicated_window_ha", "eradicated_ha"), "figure_eradicated_ha", "amount", "ha"),
        sprayed() ? figure(sumOf("sprayed_ha", places), "card_sprayed", "amount", "ha") : [],
        figure(sumOf("farc_events_window", places), "figure_farc_events", "number"),
        entry(text("figure_station_km"), far, "km", far === say.text("no_value")),
        figure(sumOf("people_beyond", places), "card_people_beyond", "number"),
        figure(of("population"), "figure_population", "number"),
        figure(area, "figure_area_km2", "number", "km2"));
    }

    /* Flags */

    const part = (share) => (share < NOTABLE ? say.text("card_little") : say.share(share));
    const chip = (words, extra = "") => node("li", { class: "pr-chip " + extra }, words);

    function standingChips(town, scored) {
      const left = scored.high[town.place] && town.vacated;
      const keys = [left && ["flag_left", "pr-chip-left"], scored.high[town.place] && !left && ["flag_high"], town.vacated && !left && ["flag_vacated"]];
      return keys.filter(Boolean).map(([key, extra]) => chip(text(key), extra));
    }

    function lockChips({ code }) {
      const state = store.get();
      const reasons = { in: data.scoring.locked_in[code], out: data.scoring.locked_out[code] };
      return Object.keys(WAYS).filter((way) => state[WAYS[way][0]].includes(code)).map((way) =>
        chip(say.text("card_locked_" + way) + (reasons[way] ? ": " + apart(reasons[way]) : ""), "pr-chip-locked"));
    }

    function zoneChip(town, scored) {
      const id = scored.zone[town.place];
      const zone = id && scored.zones.find((each) => each.id === id);
      return zone ? [node("li", {}, node("button", { type: "button", class: "pr-chip pr-chip-zone", "data-choose": id }, text("flag_zone", { name: zone.name })))] : [];
    }

    function townChips(town, scored) {
      const areas = Object.entries(SPECIAL).filter(([field]) => town[field] > 0);
      const gaps = scored.rank[town.place] ? why.gaps(town.place).map(why.label) : [];
      const chips = [
        ...standingChips(town, scored),
        ...(town.pdet ? [chip(say.text("card_pdet", { region: town.pdet_region }))] : []),
        ...(town.etcr ? [chip(say.text("etcr"))] : []),
        ...areas.map(([field, key]) => chip(say.text(key, { share: part(town[field]) }), "pr-chip-special")),
        ...(gaps.length ? [chip(say.text("card_missing", { measures: gaps.join(", ") }), "pr-chip-missing")] : []),
        ...lockChips(town), ...zoneChip(town, scored),
      ];
      return chips.length ? node("ul", { class: "pr-chips", "aria-label": say.text("card_flags") }, chips) : null;
    }

    function zoneChips(towns) {
      const count = (fits) => towns.filter(fits).length;
      const of = (key, fits) => {
        const found = count(fits);
        return found ? chip(say.text(key, { count: say.number(found), all: say.number(towns.length) })) : null;
      };
      const chips = [
        of("card_zone_pdet", (town) => town.pdet), of("card_zone_etcr", (town) => town.etcr),
        ...Object.entries(SPECIAL).map(([field, key]) => of(key + "_zone", (town) => town[field] > NOTABLE)),
        of("card_zone_missing", (town) => why.gaps(town.place).length),
        of("card_zone_locked", (town) => store.get().lockedIn.includes(town.code)),
      ].filter(Boolean);
      return chips.length ? node("ul", { class: "pr-chips", "aria-label": say.text("card_flags") }, chips) : null;
    }

    /* Special rights are named where they may bind a plan; the maps they come from are old and lack most old reserves. */
    function rights(towns) {
      const any = (field) => towns.some((town) => town[field] > NOTABLE);
      const holders = ["reserve_share", "council_share"].filter(any).map((field) => say.text(SPECIAL[field] + "_land"));
      const unknown = towns.some((town) => Object.keys(SPECIAL).some((field) => town[field] === null));
      const notes = [
        holders.length && say.text("card_rights", { holders: why.words().series(holders) }),
        any("park_share") && say.text("card_rights_park"),
        unknown && say.text("card_rights_unknown"),
        say.text("card_rights_maps"),
      ].filter(Boolean);
      return node("p", { class: notes.length > 1 ? "pr-rights" : "pr-quiet" }, notes.join(" "));
    }

    /* Standing */

    function tile(label, value, detail) {
      return node("div", { class: "pr-tile" }, node("dt", {}, label), node("dd", {}, node("strong", {}, value), node("span", {}, detail || "")));
    }

    const range = (town) => ({ low: say.number(town.rank_low), high: say.number(town.rank_high) });

    function standing(town, scored) {
      const rank = scored.rank[town.place];
      if (!rank) return [];
      const known = town.rank_low !== null;
      const detail = text("of_candidates", { count: say.number(scored.ranked.length) }) + (scored.asRun && known ? "; " + text("rank_range", range(town)) : "");
      const spread = scored.asRun
        ? town.top_share !== null && text("top_share", { share: say.share(town.top_share) })
        : known && text("card_run_range", { ...range(town), run: data.year });
      return [
        node("dl", { class: "pr-tiles" },
          tile(say.text("score"), say.score(scored.score[town.place])),
          tile(say.text("rank"), say.number(rank), detail),
          tile(say.text("coverage"), say.share(scored.coverage[town.place]), say.text("coverage_of"))),
        spread ? quiet(spread) : null,
      ];
    }

    function locks({ code }) {
      const state = store.get();
      const button = (way) => node("button", { type: "button", class: "pr-lock", "data-lock": way, "aria-pressed": String(state[WAYS[way][0]].includes(code)) }, say.text("card_lock_" + way));
      return node("div", { class: "pr-locks", role: "group", "aria-label": say.text("card_locks") }, button("in"), button("out"));
    }

    /* Contributions: what a measure may add at most is known of weighted means alone. */

    function parts(place, scored) {
      const [own, raw, mean] = [scored.contributions(place), scored.raw(place), store.get().method === "weighted-mean"];
      const most = mean ? (column, known) => scored.weights[column] / (known ? scored.coverage[place] : 1) : () => Math.max(...own.filter((value) => value > 0), 1e-9);
      const measures = criteria.map((criterion, column) => ({
        label: apart(say.pick(criterion.label)), dimension: criterion.dimension, value: own[column], most: most(column, !Number.isNaN(own[column])),
        raw: Number.isNaN(raw[column]) ? "" : why.figure(criterion, raw[column]) + (criterion.unit.en === "0–1" ? "" : " " + apart(say.pick(criterion.unit))),
      }));
      return dimensions.map((dimension) => group(dimension, measures.filter((measure) => measure.dimension === dimension.id))).filter(({ members }) => members.length);
    }

    function group(dimension, members) {
      const known = members.filter((member) => !Number.isNaN(member.value));
      const of = (list, key) => sum(list.map((member) => member[key]));
      return { label: say.pick(dimension.label), colour: dimension.colour, members, value: known.length ? of(known, "value") : NaN, most: of(known.length ? known : members, "most") };
    }

    const width = (element, share) => { element.style.width = (100 * Math.min(1, Math.max(0, share || 0))).toFixed(1) + "%"; };

    function bar(each, longest, colour) {
      const missing = Number.isNaN(each.value);
      const track = node("span", { class: "pr-track" + (missing ? " pr-track-missing" : ""), "aria-hidden": "true" });
      width(track, each.most / longest);
      if (!missing) {
        const fill = node("span", { class: "pr-fill" });
        width(fill, each.value / each.most);
        fill.style.backgroundColor = colour;
        track.append(fill);
      }
      return node("span", { class: "pr-rail" }, track);
    }

    function row(each, longest, colour, sort) {
      const missing = Number.isNaN(each.value);
      return node("div", { class: `pr-part ${sort}${missing ? " pr-missing" : ""}` },
        node("span", { class: "pr-part-label" }, each.label, each.raw ? node("small", {}, each.raw) : null),
        bar(each, longest, colour), node("span", { class: "pr-part-value" }, missing ? say.text("no_value") : say.number(each.value, 3)));
    }

    function contributions(town, scored) {
      if (!scored.rank[town.place]) return [];
      const groups = parts(town.place, scored);
      const longest = Math.max(...groups.map((each) => each.most));
      const widest = Math.max(...groups.flatMap((each) => each.members).map((member) => member.most));
      const hint = store.get().method === "weighted-mean" ? "contributions_hint" : "card_contributions_hint";
      return [
        node("h3", {}, say.text("contributions")), quiet(say.text(hint)),
        node("ul", { class: "pr-parts" }, groups.map((each) => node("li", {}, row(each, longest, each.colour, "pr-whole"), each.members.map((member) => row(member, widest, each.colour, "pr-member"))))),
      ];
    }

    /* The card */

    function head(sort, name, place) {
      return node("header", { class: "pr-card-head" },
        node("div", {}, sort ? node("p", { class: "pr-kind" }, sort) : null, bounded("h2", { id: "pr-card-title" }, name), node("p", { class: "pr-place" }, place)),
        node("button", { type: "button", class: "pr-close", "data-close": "", "aria-label": say.text("close_card") }, "×"));
    }

    function foot() {
      const named = data.sources.map(({ title, publisher, vintage }) => node("li", {}, apart(title), node("small", {}, [publisher, vintage].filter(Boolean).map(apart).join(", "))));
      return node("details", { class: "pr-card-sources" }, node("summary", {}, say.text("card_sources")), node("ul", {}, named));
    }

    const history = () => [node("h3", {}, text("history", { first: engine.years[0] })), node("div", { "data-own": "" })];

    /* While weights move, reasons that take long to find wait for a pause. */
    function sentence(place) {
      clearTimeout(pause);
      const brief = !why.quick() && shown === data.codes[place];
      if (brief) pause = setTimeout(() => { why.sentence(place); render(); }, PAUSE_MS);
      return why.sentence(place, brief);
    }

    function municipality({ place }, scored) {
      const town = model.towns[place];
      return [
        head(null, town.name, `${apart(town.department)} · ${town.code}`),
        node("div", { class: "pr-card-body" },
          node("div", {}, townChips(town, scored)), node("div", {}, standing(town, scored)),
          sentenceOn(town.name, sentence(place)), node("div", {}, rights([town])), locks(town),
          node("div", {}, contributions(town, scored)), history(),
          node("h3", {}, say.text("figures")), townFigures(town), foot()),
      ];
    }

    function zoneSentence(places, scored) {
      const of = (list) => sum(list.map((place) => valueOf("coca_ha", place)).filter((ha) => !Number.isNaN(ha)));
      const left = places.filter((place) => model.towns[place].vacated).length;
      const form = (count, none) => (count === 1 ? "one" : count || !none ? "many" : "none");
      return say.text("card_zone_" + form(places.length), { count: say.number(places.length), share: say.share(of(places) / of(Array.from(scored.places))) }) + "; " +
        say.text("card_zone_left_" + form(left, true), { count: say.number(left) }) + ".";
    }

    function members(places, scored) {
      return places.map((place) => {
        const rank = scored.rank[place];
        return node("li", {}, node("button", { type: "button", class: "pr-entry", "data-choose": data.codes[place] },
          node("span", { class: "pr-name" }, model.towns[place].name),
          node("span", { class: "pr-value" }, rank ? say.score(scored.score[place]) : "–")));
      });
    }

    function zone(subject, scored) {
      const { record, places, gone } = subject;
      const towns = places.map((place) => model.towns[place]);
      return [
        head(say.text("zone_kind"), record.name, record.id),
        node("div", { class: "pr-card-body" },
          quiet(say.text(gone ? "card_zone_gone" : scored.asRun ? "card_zone_run" : "card_zone_live")),
          node("div", {}, zoneChips(towns)),
          node("div", {}, gone ? null : node("dl", { class: "pr-tiles" }, tile(say.text("zone_score"), say.score(record.score)))),
          node("p", { class: "pr-why" }, zoneSentence(places, scored)), node("div", {}, rights(towns)),
          node("h3", {}, say.text("zone_members")), node("ol", { class: "pr-top" }, members(places, scored)),
          history(), node("h3", {}, say.text("figures")), zoneFigures(subject), foot()),
      ];
    }

    /* An enclave is told of where coca by cell is: it has cells, and no municipality of its own. */
    const enclave = ({ record }) => app.cells.card(record, { head, quiet, tile, rights, entry, foot });

    /* A zone that the weights of now do not form is still told of, as long as anyone knew it. */
    function find(id, scored) {
      if (!id) return null;
      if (model.place.has(id)) return { id, place: model.place.get(id), places: [model.place.get(id)] };
      const cells = app.cells?.enclave(id);
      if (cells) return { id, record: cells, places: [], enclave: true };
      const record = scored.zones.find((each) => each.id === id);
      if (record) return { id, record, places: Array.from(record.members) };
      if (last?.id === id && last.record) return { ...last, gone: true };
      const old = data.run.zones.find((each) => each.id === id);
      return old ? { id, record: old, places: old.members.map((code) => model.place.get(code)), gone: true } : null;
    }

    function draw(subject) {
      const key = say.lang + (subject.places.join() || subject.id);
      if (charted !== key) {
        chart = presencia.chart(app, subject.enclave ? app.cells.history(subject.record) : presencia.chart.history(app, subject.places));
        charted = key;
        box.querySelector("[data-own]").replaceChildren(chart.element);
      }
      chart.point(store.get().year);
    }

    function render() {
      const scored = app.scored();
      const subject = find(store.get().chosen, scored);
      if (!subject) return hide();
      const fresh = (subject.enclave ? enclave : subject.record ? zone : municipality)(subject, scored);
      if (shown === subject.id) fresh.forEach((element, order) => morph(box.children[order], element));
      else open(subject, fresh);
      last = subject;
      draw(subject);
    }

    function open(subject, fresh) {
      if (box.hidden) origin = document.activeElement;
      box.replaceChildren(...fresh);
      [box.hidden, shown, charted] = [false, subject.id, ""];
    }

    function hide() {
      if (box.hidden) return;
      const inside = box.contains(document.activeElement);
      [box.hidden, shown] = [true, null];
      app.announce(say.text("closed"));
      if (!inside) return;
      origin?.focus();
      if (document.activeElement === document.body || box.contains(document.activeElement)) document.querySelector("#pr-panel input, #pr-open")?.focus();
    }

    function announce() {
      if (!last || shown === null) return;
      const scored = app.scored();
      if (last.enclave) return app.announce(app.cells.told(last.record));
      if (last.record) return app.announce(say.text("card_zone_chosen", { name: last.record.name, words: zoneSentence(last.places, scored) }));
      const town = model.towns[last.place];
      const rank = scored.rank[last.place];
      const detail = rank ? say.text("selected_rank", { rank: say.number(rank), count: say.number(scored.ranked.length), score: say.score(scored.score[last.place]) }) : say.text("card_unranked");
      app.announce(say.text("selected", { name: town.name, department: town.department, detail }));
    }

    function lock(way) {
      const [code, [key, other], state] = [shown, WAYS[way], store.get()];
      const on = !state[key].includes(code);
      const without = (list) => list.filter((each) => each !== code);
      store.set({ [key]: on ? [...state[key], code] : without(state[key]), [other]: without(state[other]) });
      const { name } = model.towns[last.place];
      app.announce(`${name}: ${say.text(on ? "card_locked_" + way : "card_unlocked")}.`);
    }

    const close = () => app.choose(null, {});

    box.setAttribute("aria-labelledby", "pr-card-title");
    box.addEventListener("click", ({ target }) => {
      const { dataset } = target.closest("button") || {};
      if (!dataset) return;
      if ("close" in dataset) close();
      else if (dataset.lock) lock(dataset.lock);
      else if (dataset.choose) app.choose(dataset.choose, { fly: true, focus: true });
    });
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      close();
    });
    store.on(["chosen"], () => { render(); announce(); });
    store.on(["lang", "year", ...SCORES], (_, changed) => { if (!box.hidden && !changed.has("chosen")) render(); });
    render();
    return { close: () => { if (!box.hidden) close(); } };
  }

  presencia.card = card;
})((window.presencia = window.presencia || {}));
