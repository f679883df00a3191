/* What is drawn on the map. Everything shares one canvas, so that whatever lies on top answers the pointer. */
(function (presencia) {
  const { node } = presencia.dom;
  const { borders, centre } = presencia.topology;
  const STILL = { interactive: false, fill: false, lineJoin: "round", lineCap: "round", smoothFactor: 0.5 };

  const Diamond = L.CircleMarker.extend({
    _updatePath() {
      const { _renderer: renderer, _point: { x, y }, _radius: r } = this;
      if (!renderer._drawing || this._empty()) return;
      const pen = renderer._ctx;
      pen.beginPath();
      pen.moveTo(x, y - r);
      pen.lineTo(x + r, y);
      pen.lineTo(x, y + r);
      pen.lineTo(x - r, y);
      pen.closePath();
      renderer._fillStroke(pen, this);
    },
  });

  function municipalities(model, decoded) {
    const polygons = model.towns
      .filter((town) => decoded.shapes.has(town.code))
      .map((town) => L.polygon(decoded.shapes.get(town.code), { town, weight: 0.6, color: "#ffffff", opacity: 0.9, fillOpacity: 1, smoothFactor: 0.5 }));
    return L.featureGroup(polygons);
  }

  const line = (arcs, color, weight, opacity = 1) => L.polyline(arcs, { ...STILL, color, weight, opacity });

  /* A zone's soft wide band still shows on both sides where a high-cultivation outline runs along it. */
  function outlines(model, decoded, colours) {
    const of = (pick) => borders(decoded, (code) => pick(model.town.get(code) || {}) || null);
    const departments = of((town) => town.department_code);
    const zones = of((town) => town.zone);
    const vacated = of((town) => town.high_cultivation && town.vacated && "left");
    return {
      departments: L.featureGroup([line(departments, colours.departments, 0.9)]),
      zones: L.featureGroup([line(zones, colours.zone_band, 8, 0.85), line(zones, colours.zones, 1.6)]),
      vacated: L.featureGroup([line(vacated, "#ffffff", 5, 0.95), line(vacated, colours.vacated, 2.6)]),
    };
  }

  function posts(model, colours) {
    const radius = { station: 3, substation: 2.4, cai: 1.9 };
    const dots = model.posts.map((post) =>
      L.circleMarker(post.latlng, { post, radius: radius[post.kind], weight: 0.8, color: "#ffffff", fillColor: colours[post.kind], fillOpacity: 0.95 }),
    );
    return L.featureGroup(dots);
  }

  function etcr(model, colours) {
    const marks = model.etcr.map((site) =>
      new Diamond(site.latlng, { site, radius: 7, weight: 1.5, color: "#1b1b1b", fillColor: colours.etcr, fillOpacity: 1 }),
    );
    return L.featureGroup(marks);
  }

  function departmentsOf(model, decoded) {
    const found = new Map();
    for (const town of model.towns) {
      if (!decoded.shapes.has(town.code)) continue;
      const entry = found.get(town.department_code) || { name: town.department, shapes: [] };
      entry.shapes.push(decoded.shapes.get(town.code));
      found.set(town.department_code, entry);
    }
    return [...found.values()];
  }

  function nameplate({ name, shapes }) {
    const text = node("span", { class: "pr-nameplate" }, name);
    const icon = L.divIcon({ html: text, className: "pr-nameplate-icon", iconSize: [0, 0] });
    const place = centre(shapes);
    return { marker: L.marker(place, { icon, interactive: false, keyboard: false }), bounds: L.latLngBounds(shapes.flat(3)), letters: name.length };
  }

  /* A department is named where its name fits inside it at the present zoom. */
  function nameplates(map, model, decoded) {
    const group = L.layerGroup();
    const plates = departmentsOf(model, decoded).map(nameplate);
    function fit() {
      for (const { marker, bounds, letters } of plates) {
        const width = map.latLngToLayerPoint(bounds.getNorthEast()).x - map.latLngToLayerPoint(bounds.getSouthWest()).x;
        if (width > letters * 7.5 && width > 60) group.addLayer(marker);
        else group.removeLayer(marker);
      }
    }
    map.on("zoomend", fit);
    return { group, fit };
  }

  /* Marks municipalities by the outline of all of them together. */
  function highlight(decoded, ...strokes) {
    const lines = strokes.map(([colour, weight]) => line([], colour, weight));
    const show = (codes) => {
      const arcs = codes.length ? borders(decoded, (code) => codes.includes(code) || null) : [];
      for (const stroke of lines) stroke.setLatLngs(arcs);
    };
    return { group: L.featureGroup(lines), show };
  }

  presencia.layers = { municipalities, outlines, posts, etcr, nameplates, highlight };
})((window.presencia = window.presencia || {}));
