/* The page's data as things with names: municipalities, zones, their history and what their score is made of. */
(function (presencia) {
  /* A column is an array, a sparse one (what is not listed is missing), or texts that each stand once. */
  function unpack(column, count) {
    if (Array.isArray(column)) return column;
    if (column.places) return column.places.map((place) => (place === null ? null : column.texts[place]));
    const values = new Array(count).fill(null);
    column.at.forEach((place, order) => { values[place] = column.values[order]; });
    return values;
  }

  function municipalities({ codes, columns, flags }) {
    const names = Object.keys(columns);
    const unpacked = names.map((name) => unpack(columns[name], codes.length));
    const towns = codes.map((code, place) => {
      const town = { code, place };
      names.forEach((name, order) => { town[name] = unpacked[order][place]; });
      for (const flag of Object.keys(flags)) town[flag] = false;
      return town;
    });
    raise(towns, flags);
    return towns;
  }

  function raise(towns, flags) {
    for (const [flag, places] of Object.entries(flags)) {
      for (const place of places) towns[place][flag] = true;
    }
  }

  /* A municipality that the history leaves out had none in any year; null is a year that nobody measured. */
  function history({ years, rows }, town) {
    const row = rows[town.place];
    return years.map((year, place) => ({ year, value: row ? row[place] : 0 }));
  }

  function parts(data, town) {
    const row = data.contributions[town.place];
    if (!row) return [];
    const measures = data.measures.map((measure, place) => ({ ...measure, value: row[place], most: measure.weight / (town.coverage || 1) }));
    return data.dimensions.map((dimension) => {
      const members = measures.filter((measure) => measure.dimension === dimension.id);
      const known = members.filter((member) => member.value !== null);
      const sum = (key) => known.reduce((total, member) => total + member[key], 0);
      const most = known.length ? sum("most") : members.reduce((total, member) => total + member.weight, 0);
      return { ...dimension, members, value: known.length ? sum("value") : null, most };
    });
  }

  function points({ step, deltas, kind, kinds, ...named }) {
    const count = deltas.length / 2;
    const texts = Object.entries(named).map(([name, column]) => [name, unpack(column, count)]);
    let lng = 0;
    let lat = 0;
    return Array.from({ length: count }, (_, place) => {
      lng += deltas[2 * place];
      lat += deltas[2 * place + 1];
      const point = { latlng: [lat * step, lng * step], kind: kind ? kinds[kind[place]] : null };
      for (const [name, values] of texts) point[name] = values[place];
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
    const ranked = towns.filter((town) => town.rank !== null).sort((a, b) => a.rank - b.rank);
    return {
      towns,
      ranked,
      town: new Map(towns.map((town) => [town.code, town])),
      zones: new Map(data.zones.map((zone) => [zone.id, zone])),
      posts: points(data.posts),
      etcr: points(data.etcr),
      history: (town, what) => history(data.history[what], town),
      parts: (town) => parts(data, town),
      silent: (field) => silent(towns, field),
    };
  }

  presencia.model = model;
})((window.presencia = window.presencia || {}));
