/* The map of changes: municipalities as polygons on one canvas, and outlines around some of them. */
(function (presencia) {
  const { borders } = presencia.topology;
  const STILL = { interactive: false, fill: false, lineJoin: "round", lineCap: "round", smoothFactor: 0.5 };

  function municipalities(model, decoded) {
    const polygons = model.towns
      .filter((town) => decoded.shapes.has(town.code))
      .map((town) => L.polygon(decoded.shapes.get(town.code), { town, weight: 0.6, color: "#ffffff", opacity: 0.9, fillOpacity: 1, smoothFactor: 0.5 }));
    return L.featureGroup(polygons);
  }

  const line = (arcs, color, weight, opacity = 1) => L.polyline(arcs, { ...STILL, color, weight, opacity });

  /* Marks municipalities by the outline of all of them together. */
  function highlight(decoded, ...strokes) {
    const lines = strokes.map(([colour, weight]) => line([], colour, weight));
    const show = (codes) => {
      const arcs = codes.length ? borders(decoded, (code) => codes.includes(code) || null) : [];
      for (const stroke of lines) stroke.setLatLngs(arcs);
    };
    return { group: L.featureGroup(lines), show };
  }

  presencia.layers = { municipalities, highlight };
})((window.presencia = window.presencia || {}));
