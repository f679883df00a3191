/* Why a municipality ranks where it does, in one sentence: layers/explanations.py, for the weights and the year of now. */
(function (presencia) {
  const { apart } = presencia.dom;
  const NAMED = 3;
  const WORTH_NAMING = 0.5;
  const SHARE_UNIT = "0–1";
  const SUMS = ["weighted-mean", "promethee"];
  const SOUNDS = { and: ["and_before_i", /^h?[ií](?![aeo])/i], or: ["or_before_o", /^(?:h?[oó]|8|11(?!\d))/i] };

  /* Exact halves go to the even digit, as in Python; toFixed takes them away from zero. */
  function fixed(size, decimals) {
    if ((size * 2 ** (decimals + 1)) % 2 !== 1) return size.toFixed(decimals);
    const below = Math.floor(size * 10 ** decimals);
    return ((below + (below % 2)) / 10 ** decimals).toFixed(decimals);
  }

  function decimalsOf(value) {
    const size = Math.abs(value);
    if (size !== 1 && Number.isInteger(size)) return 0;
    return size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  }

  function words(templates) {
    const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
    const say = (template, values) => fill(templates[template], values);

    function number(value, decimals = decimalsOf(value)) {
      const digits = fixed(Math.abs(value), decimals);
      const [whole, part] = digits.split(".");
      const sign = value < 0 && Number(digits) ? "−" : "";
      return sign + whole.replace(/\B(?=(\d{3})+$)/g, templates.thousands) + (part ? templates.decimal + part : "");
    }

    function series(items, word = "and") {
      const last = items[items.length - 1];
      if (items.length === 1) return last;
      const [before, sound] = SOUNDS[word];
      return `${items.slice(0, -1).join(", ")} ${templates[sound.test(last) ? before : word]} ${last}`;
    }

    const percent = (share, decimals = 0) => say("percent", { value: number(100 * share, decimals) });
    return { templates, fill, say, number, percent, series };
  }

  function median(values) {
    const known = values.filter((value) => !Number.isNaN(value)).sort();
    const half = known.length >> 1;
    return known.length % 2 ? known[half] : (known[half - 1] + known[half]) / 2;
  }

  /* A label within a sentence loses its capital, unless it is an abbreviation. */
  const lowered = (label) => (/^.\p{Ll}/u.test(label) ? label[0].toLowerCase() + label.slice(1) : label);

  function why(app) {
    const { data, engine, model } = app;
    const { criteria } = data.scoring;
    const said = Object.fromEntries(Object.entries(data.sentences).map(([lang, templates]) => [lang, words(templates)]));
    const speech = () => said[app.say.lang];
    const label = (criterion) => apart(criterion.label[app.say.lang]);
    const typical = new WeakMap();

    function medians(rows, of) {
      const table = rows.map(of);
      return criteria.map((_, column) => median(Float64Array.from(table, (row) => row[column])));
    }

    function usual(scored) {
      if (!typical.has(scored)) {
        const rows = Array.from(scored.places);
        typical.set(scored, { parts: medians(rows, (place) => scored.contributions(place)), raw: medians(rows, (place) => scored.raw(place)) });
      }
      return typical.get(scored);
    }

    /* Places of the criteria that set it apart, the one that adds most first. */
    function reasons(scored, place) {
      const own = scored.contributions(place);
      const beyond = usual(scored).parts.map((part, column) => own[column] - part);
      const most = [...beyond.keys()].filter((column) => beyond[column] > 0).sort((a, b) => beyond[b] - beyond[a]).slice(0, NAMED);
      return most.length === NAMED && beyond[most[2]] < WORTH_NAMING * beyond[most[1]] ? most.slice(0, 2) : most;
    }

    function figure(criterion, value) {
      return criterion.unit.en === SHARE_UNIT ? speech().percent(value) : speech().number(value);
    }

    function phrase(criterion, value) {
      const { say, fill, number, templates } = speech();
      const known = templates.measures[criterion.name];
      const text = figure(criterion, value);
      if (!known) return say("labelled", { label: lowered(label(criterion)), value: text, unit: apart(criterion.unit[app.say.lang]) });
      return fill(known, { value: text, permanence_years: data.terms.permanence_years, station_radius_km: number(data.terms.station_radius_km) });
    }

    function compared(scored, place, column) {
      const criterion = criteria[column];
      return speech().say("measure", { phrase: phrase(criterion, scored.raw(place)[column]), typical: figure(criterion, usual(scored).raw[column]) });
    }

    function spread(scored, { rank_low: low, rank_high: high }) {
      if (!scored.asRun || low === null || Number.isNaN(low)) return "";
      const { say, number } = speech();
      return say(low === high ? "steady" : "spread", { low: number(low, 0), high: number(high, 0) });
    }

    function ranked(scored, place, name, brief) {
      const { say, number, series } = speech();
      const named = brief ? [] : reasons(scored, place).map((column) => compared(scored, place, column));
      return say("rank", {
        name, rank: number(scored.rank[place], 0), count: number(scored.ranked.length, 0), spread: spread(scored, model.towns[place]),
        because: named.length ? say("because", { measures: series(named) }) : "",
      });
    }

    function vacated(scored, place) {
      const { say, number } = speech();
      const events = engine.values("farc_events_window", scored.year)[place];
      if (Number.isNaN(events)) return "";
      const form = events === 0 ? "events_none" : events === 1 ? "events_one" : "events_many";
      return say(model.towns[place].vacated ? "vacated" : "not_vacated", {
        events: say(form, { value: number(events, 0) }), first: data.terms.farc_first, last: data.terms.farc_last,
      });
    }

    /* Places of the criteria that count and were not measured there, candidate or not. */
    function gaps(scored, place) {
      return criteria.filter((criterion, column) => scored.weights[column] > 0 && Number.isNaN(engine.values(criterion.name, scored.year)[place]));
    }

    function missing(scored, place) {
      const { say, series, percent } = speech();
      const labels = gaps(scored, place).map((criterion) => lowered(label(criterion)));
      return labels.length ? say("missing", { labels: series(labels), coverage: percent(scored.coverage[place]) }) : "";
    }

    function unscored(scored, place, name) {
      const { say, number, templates } = speech();
      const { minimum, only } = app.store.get();
      const { year } = scored;
      const coca = engine.values("coca_ha", year)[place];
      if (Number.isNaN(coca)) return say("not_surveyed", { name, year });
      if (coca >= minimum) return app.say.text(only && !scored.places.includes(place) ? "why_only_" + only : "why_unmeasured", { name });
      const least = number(minimum, 1);
      const zero = templates.decimal + "0";
      return say("not_scored", { name, year, value: number(coca), least: least.endsWith(zero) ? least.slice(0, -2) : least });
    }

    /* In brief without the reasons. */
    function sentence(place, brief = false) {
      const scored = app.scored();
      const { name } = model.towns[place];
      if (!scored.rank[place]) return unscored(scored, place, name);
      return [ranked(scored, place, name, brief), vacated(scored, place), missing(scored, place)].filter(Boolean).join(" ");
    }

    /* Other methods take a thousand times as long over the contributions of all candidates. */
    const quick = () => SUMS.includes(app.store.get().method) || typical.has(app.scored());

    return { sentence, quick, words: speech, figure, gaps: (place) => gaps(app.scored(), place), label: (criterion) => lowered(label(criterion)) };
  }

  presencia.why = why;
})((window.presencia = window.presencia || {}));
