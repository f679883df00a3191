/* Police posts, reincorporation sites and the names of departments, as Leaflet's own layers. */
(function (presencia) {
  const { node } = presencia.dom;
  const { centre } = presencia.topology;

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

  presencia.points = { posts, etcr, nameplates };
})((window.presencia = window.presencia || {}));
