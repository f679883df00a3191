/* The page's data as things with names: municipalities with what is known of each, departments, posts and sites. */
(function (presencia) {
  const { codec } = presencia;
  const SHARES = ["reserve_share", "council_share", "park_share"];
  const SPREAD = ["rank_low", "rank_high", "top_share"];
  const known = (value) => (Number.isNaN(value) ? null : value);

  function municipalities({ codes, facts, run }) {
    const count = codes.length;
    const texts = ["name", "department_code", "department", "pdet_region"].map((name) => [name, codec.texts(facts[name], count)]);
    const figures = ["area_km2", "station_km", ...SHARES].map((name) => [name, codec.numbers(facts[name], count)]);
    const spread = SPREAD.map((name) => [name, codec.numbers(run[name], count)]);
    const sites = new Set(codec.places(facts.etcr));
    return codes.map((code, place) => {
      const town = { code, place, etcr: sites.has(place) };
      for (const [name, column] of texts) town[name] = column[place];
      for (const [name, column] of [...figures, ...spread]) town[name] = known(column[place]);
      town.pdet = town.pdet_region !== null;
      return town;
    });
  }

  function points({ step, count, deltas, kind, kinds, ...named }) {
    const texts = Object.entries(named).map(([name, column]) => [name, codec.texts(column, count)]);
    const moves = codec.signed(deltas);
    const sorts = kind === undefined ? null : codec.varints(kind);
    let [lng, lat] = [0, 0];
    return Array.from({ length: count }, (_, place) => {
      lng += moves[2 * place];
      lat += moves[2 * place + 1];
      const point = { latlng: [lat * step, lng * step], kind: sorts && kinds[sorts[place]] };
      for (const [name, column] of texts) point[name] = column[place];
      return point;
    });
  }

  /* Departments in which a figure is missing throughout, which is a gap in the data and not a fact about the place. */
  function silent(towns, field) {
    const heard = new Map();
    for (const town of towns) heard.set(town.department, heard.get(town.department) || town[field] !== null);
    return [...heard].filter(([, any]) => !any).map(([department]) => department);
  }

  function model(data) {
    const towns = municipalities(data);
    const departments = new Map(towns.map((town) => [town.department_code, town.department]));
    return {
      towns,
      place: new Map(towns.map((town) => [town.code, town.place])),
      departments: [...departments].map(([code, name]) => ({ code, name })).sort((a, b) => a.name.localeCompare(b.name, "es")),
      posts: points(data.posts),
      etcr: points(data.etcr),
      silent: (field) => silent(towns, field),
    };
  }

  /* A municipality counts as vacated from so many FARC events in the run's years; null where they are not known. */
  function vacate(model, events, least) {
    for (const town of model.towns) town.vacated = Number.isNaN(events[town.place]) ? null : events[town.place] >= least;
  }

  presencia.model = model;
  presencia.vacate = vacate;
})((window.presencia = window.presencia || {}));
