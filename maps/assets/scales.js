/* From values to classes, from classes to colours, and the legend that explains them. */
(function (presencia) {
  const { node } = presencia.dom;

  /* Missing stands apart from zero, and both from a measure that does not apply. */
  function classify(scale, town) {
    const value = town[scale.field];
    if (value === null) return scale.absent && town.coca_ha !== null && town.coverage !== 0 ? "absent" : "missing";
    if (value === 0 && scale.zero) return "zero";
    const above = scale.breaks.findIndex((limit) => value < limit);
    return above < 0 ? scale.breaks.length : above;
  }

  function hatch(line, ground) {
    const size = 8;
    const tile = node("canvas", { width: size, height: size });
    const pen = tile.getContext("2d");
    pen.fillStyle = ground;
    pen.fillRect(0, 0, size, size);
    pen.strokeStyle = line;
    pen.lineWidth = 1.4;
    pen.beginPath();
    for (const shift of [-size, 0, size]) {
      pen.moveTo(shift - 1, size + 1);
      pen.lineTo(shift + size + 1, -1);
    }
    pen.stroke();
    return pen.createPattern(tile, "repeat");
  }

  function painter(ground) {
    const pattern = hatch(ground.missing, "#ffffff");
    return (scale, town) => {
      const found = classify(scale, town);
      return found === "missing" ? pattern : typeof found === "number" ? scale.colours[found] : scale[found];
    };
  }

  function limits(scale, place, say) {
    const limit = (at) => say.number(scale.breaks[at], scale.decimals);
    if (!scale.breaks.length) return say.text("class_any");
    if (place === 0) return say.text("class_below", { high: limit(0) });
    if (place === scale.breaks.length) return say.text("class_above", { low: limit(place - 1) });
    return say.text("class_between", { low: limit(place - 1), high: limit(place) });
  }

  function entries(scale, towns, say) {
    const present = new Set(towns.map((town) => classify(scale, town)));
    const special = ["zero", "absent", "missing"].filter((kind) => scale[kind] || present.has(kind));
    const classes = scale.colours.map((colour, place) => ({ colour, label: limits(scale, place, say) }));
    return [...classes.reverse(), ...special.map((kind) => ({ kind, colour: scale[kind], label: say.text("class_" + kind) }))];
  }

  function swatch({ kind, colour }) {
    const made = node("span", { class: "pr-swatch" + (kind ? " pr-swatch-" + kind : ""), "aria-hidden": "true" });
    if (colour) made.style.backgroundColor = colour;
    return made;
  }

  function legend(box, scale, overlays, context) {
    const { say, model } = context;
    const rows = entries(scale, model.towns, say).map((entry) => node("li", {}, swatch(entry), node("span", {}, entry.label)));
    const lines = overlays.map(({ id }) =>
      node("li", { class: "pr-legend-line" }, mark(id), node("span", {}, say.text("overlay_" + id))),
    );
    const open = box.querySelector("details")?.open ?? true;
    const lists = [node("ul", { class: "pr-classes" }, rows), lines.length ? node("ul", { class: "pr-lines" }, lines) : null];
    box.replaceChildren(node("details", { open: open ? "" : null }, node("summary", {}, say.text("legend_" + scale.field)), lists));
  }

  const mark = (id) => node("span", { class: "pr-mark pr-mark-" + id, "aria-hidden": "true" });

  presencia.scales = { classify, painter, legend, mark };
})((window.presencia = window.presencia || {}));
