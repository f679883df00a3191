/* The engine: measures of any year, and scores, ranks and zones for any weights, the same as Python's. */
(function (presencia) {
  const { codec, measures, score, zones } = presencia;
  const KEPT = 50;
  const SAME = 1e-9;

  /* The last so many results by key; who is asked for again stays. */
  function memo(make) {
    const kept = new Map();
    return (key, ...how) => {
      const found = kept.has(key) ? kept.get(key) : make(...how);
      kept.delete(key);
      kept.set(key, found);
      if (kept.size > KEPT) kept.delete(kept.keys().next().value);
      return found;
    };
  }

  function adjacency(count, pairs) {
    const beside = Array.from({ length: count }, () => []);
    for (const [left, right] of pairs) {
      beside[left].push(right);
      beside[right].push(left);
    }
    return beside;
  }

  /* Weights that sum to 1; those of the run to the last bit where they are meant. */
  function weigh(given, own) {
    if (!given) return own;
    const total = given.reduce((sum, weight) => sum + weight, 0);
    const shares = Float64Array.from(given, (weight) => weight / total);
    return shares.every((weight, j) => Math.abs(weight - own[j]) <= SAME) ? own : shares;
  }

  function spread(count, places, values) {
    const found = new Float64Array(count).fill(NaN);
    places.forEach((place, row) => { found[place] = values[row]; });
    return found;
  }

  const alike = (one, other) => one.length === other.length && one.every((code) => other.includes(code));

  /* Whether every setting and the year are the run's own. */
  function runs(data, own) {
    const { year, scoring, terms } = data;
    const [lockedIn, lockedOut] = [Object.keys(scoring.locked_in), Object.keys(scoring.locked_out)];
    return (state, weights) =>
      weights === own && state.year === year && state.method === scoring.method && state.minimum === terms.minimum_coca_ha && !state.only &&
      alike(state.lockedIn, lockedIn) && alike(state.lockedOut, lockedOut);
  }

  function engine(data, pairs) {
    const { codes, scoring, terms, facts, run } = data;
    const { criteria } = scoring;
    const { count, years, values, total } = measures(data);
    const [names, departments, pdet] = [facts.name, facts.department, facts.pdet_region].map(codec.texts);
    const place = new Map(codes.map((code, at) => [code, at]));
    const beside = adjacency(count, pairs);
    const area = codec.numbers(facts.area_km2, count);
    const own = Float64Array.from(criteria, (criterion) => criterion.weight);
    const asRun = runs(data, own);
    const locked = (list) => new Set(list.filter((code) => place.has(code)).map((code) => place.get(code)));
    const high = memo((year) => measures.highest(values("coca_ha", year), terms.high_share));

    const CHOSEN = {
      "": () => true,
      vacated: (at) => values("farc_events_window")[at] >= terms.vacated_events,
      pdet: (at) => pdet[at] !== null,
    };

    const candidates = memo(({ year, minimum, only }) => {
      const coca = values("coca_ha", year);
      const places = Int32Array.from(coca.keys()).filter((at) => coca[at] >= minimum && CHOSEN[only](at));
      const raw = criteria.map(({ name }) => Float64Array.from(places, (at) => values(name, year)[at]));
      return { places, ready: score.prepare(raw, criteria, scoring.winsor), row: new Map([...places].map((at, row) => [at, row])) };
    });

    function zoned(state, scored) {
      if (scored.asRun) return run.zones.map((zone) => ({ ...zone, members: zone.members.map((code) => place.get(code)) }));
      const yearly = { coca_ha: "coca_ha", population: "population", eradicated_ha: "eradicated_window_ha" };
      const columns = Object.fromEntries(Object.entries(yearly).map(([name, measure]) => [name, values(measure, state.year)]));
      const chosen = zones.members(scored, terms.priority_share, locked(state.lockedIn), locked(state.lockedOut));
      return zones.build(chosen, scored.score, { codes, names, departments, beside, columns: { ...columns, area_km2: area } });
    }

    /* A candidate's row of a table, or gaps for who is none. */
    const rowOf = ({ row }, make) => (at) => (row.has(at) ? make(row.get(at)) : new Float64Array(criteria.length).fill(NaN));

    function answer(state, weights, known) {
      const { places, ready } = known;
      const points = score.aggregate(ready, weights, state.method);
      const ranked = score.order(points).map((row) => places[row]);
      const rank = new Int32Array(count);
      ranked.forEach((at, before) => { rank[at] = before + 1; });
      const scored = {
        year: state.year, places, ranked, rank, weights,
        score: spread(count, places, points),
        coverage: spread(count, places, score.coverage(ready, weights)),
        high: high(state.year, state.year),
        asRun: asRun(state, weights),
        contributions: rowOf(known, (row) => score.contributions(ready, weights, state.method, row)),
        raw: rowOf(known, (row) => score.row(ready.raw, ready.m, row)),
        unit: rowOf(known, (row) => score.row(ready.unit, ready.m, row)),
      };
      scored.zones = zoned(state, scored);
      scored.zone = new Array(count).fill(null);
      for (const { id, members } of scored.zones) for (const at of members) scored.zone[at] = id;
      return scored;
    }

    const answers = memo(answer);

    function scored(state) {
      const who = [state.year, state.minimum, state.only].join("|");
      const weights = weigh(state.weights, own);
      const key = [who, state.method, weights.join(), [...state.lockedIn].sort(), [...state.lockedOut].sort()].join("|");
      return answers(key, state, weights, candidates(who, state));
    }

    return { count, years, values, total, scored };
  }

  presencia.engine = engine;
})((window.presencia = window.presencia || {}));
