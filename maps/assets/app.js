/* Starts the page and keeps what is shown in step with what was chosen. The map is at hand as presencia.map. */
(function (presencia) {
  const { node, byId } = presencia.dom;
  const { layers, panel, scales, card } = presencia;
  const PATH_ORDER = ["towns", "departments", "zones", "vacated", "hover", "chosen", "posts", "etcr"];
  const NARROW = "(max-width: 760px)";

  const read = (id) => JSON.parse(byId(id).textContent);
  const matches = (query) => window.matchMedia(query).matches;
  const motion = () => ({ animate: !matches("(prefers-reduced-motion: reduce)") });

  /* Leaflet ignores a new view while it animates a zoom, so a quick second click waits for the first. */
  const whenStill = (map, act) => (map._animatingZoom ? map.once("zoomend", act) : act());
  const fit = (map, bounds, options) => whenStill(map, () => map.fitBounds(bounds, { ...room(map), ...motion(), ...options }));

  /* Room that the card takes from the map, so that what was chosen is not hidden under it. */
  function room(map) {
    const box = byId("pr-card");
    if (box.hidden) return { paddingTopLeft: [24, 24], paddingBottomRight: [24, 24] };
    return matches(NARROW)
      ? { paddingTopLeft: [24, 60], paddingBottomRight: [24, box.offsetHeight + 24] }
      : { paddingTopLeft: [24, 24], paddingBottomRight: [Math.min(box.offsetWidth + 36, map.getSize().x / 2), 24] };
  }

  function hint(layer, { say, scale }) {
    const { town, post, site } = layer.options;
    if (post) return node("div", {}, node("strong", {}, post.name || ""), node("span", {}, say.text("post_" + post.kind)));
    if (site) return node("div", {}, node("strong", {}, site.name || ""), node("span", {}, site.municipality || ""), node("span", {}, say.text("etcr")));
    const found = scales.classify(scale(), town);
    const unit = scale().field === "coca_ha" ? " ha" : "";
    const value = typeof found === "string" && found !== "zero" ? say.text("class_" + found) : (unit ? say.amount(town[scale().field]) : say.score(town[scale().field])) + unit;
    return node("div", {}, node("strong", {}, town.name), node("span", {}, town.department), node("span", { class: "pr-hint-value" }, say.text("measure_" + scale().field) + ": " + value));
  }

  function tooltips(groups, context) {
    for (const group of groups) group.bindTooltip((layer) => hint(layer, context), { sticky: true, className: "pr-hint", direction: "auto", offset: [12, 0] });
  }

  function controls(map, { views, attribution }, { say }) {
    map.attributionControl.setPrefix("Leaflet").addAttribution(node("i", {}, attribution).innerHTML);
    L.control.zoom({ position: "topleft", zoomInTitle: say.text("zoom_in"), zoomOutTitle: say.text("zoom_out") }).addTo(map);
    const bar = L.control({ position: "topleft" });
    bar.onAdd = () => {
      const buttons = Object.entries(views).filter(([, bounds]) => bounds).map(([name, bounds]) =>
        node("button", { type: "button", "data-view": name, click: () => fit(map, bounds) }, say.text("view_" + name)));
      const box = node("div", { class: "pr-views leaflet-bar" }, buttons);
      L.DomEvent.disableClickPropagation(box);
      return box;
    };
    bar.addTo(map);
  }

  function draw(map, data, model, decoded) {
    const drawn = { towns: layers.municipalities(model, decoded), ...layers.outlines(model, decoded, data.colours.lines), posts: layers.posts(model, data.colours.points), etcr: layers.etcr(model, data.colours.points) };
    const hover = layers.highlight(decoded, ["#12303f", 1.8]);
    const chosen = layers.highlight(decoded, ["#ffffff", 6], ["#12303f", 3.2]);
    Object.assign(drawn, { hover: hover.group, chosen: chosen.group });
    drawn.towns.addTo(map);
    drawn.hover.addTo(map);
    drawn.chosen.addTo(map);
    drawn.towns.on("mouseover", (event) => hover.show([event.layer.options.town.code]));
    drawn.towns.on("mouseout", () => hover.show([]));
    const arrange = () => PATH_ORDER.filter((name) => map.hasLayer(drawn[name])).forEach((name) => drawn[name].bringToFront());
    return { drawn, chosen, arrange };
  }

  function switches(map, scene, names) {
    const overlays = [["vacated", true], ["zones", false], ["departments", true], ["posts", false], ["etcr", false]].map(([id, shown]) => ({ id, shown }));
    function show(overlay, shown) {
      overlay.shown = shown;
      scene.drawn[overlay.id][shown ? "addTo" : "removeFrom"](map);
      if (overlay.id === "departments") names.group[shown ? "addTo" : "removeFrom"](map);
      scene.arrange();
    }
    return { overlays, show };
  }

  /* Opening, closing and announcing the card; it remembers where the focus came from. */
  function selection(scene, context) {
    const box = byId("pr-card");
    let origin = null;
    function open(content, codes, words) {
      if (box.hidden) origin = document.activeElement;
      box.replaceChildren(...content);
      box.hidden = false;
      box.querySelector(".pr-card-body").scrollTop = 0;
      scene.chosen.show(codes);
      byId("pr-live").textContent = words;
    }
    function close() {
      if (box.hidden) return;
      box.hidden = true;
      scene.chosen.show([]);
      panel.press(null);
      byId("pr-live").textContent = context.say.text("closed");
      origin?.focus();
      if (document.activeElement === document.body) byId("pr-open").focus();
    }
    return { open, close, focus: () => box.focus() };
  }

  function words(town, { say, model }) {
    const detail = town.rank === null ? "" : say.text("selected_rank", { rank: say.number(town.rank), count: say.number(model.ranked.length), score: say.score(town.score) });
    return say.text("selected", { name: town.name, department: town.department, detail }).trim();
  }

  function pickers(map, selected, decoded, context, sheet) {
    const shapeOf = (code) => decoded.shapes.get(code) || [];
    const go = (shapes) => fit(map, L.latLngBounds(shapes.flat(3)), { maxZoom: 8.5 });
    function show(code) {
      const town = context.model.town.get(code);
      selected.open(card.municipality(town, context), [code], words(town, context));
      panel.press(code);
      sheet.close();
    }
    function pick(code) {
      show(code);
      go([shapeOf(code)]);
      selected.focus();
    }
    function pickZone(id) {
      const zone = context.model.zones.get(id);
      selected.open(card.zone(zone, context), zone.members, zone.name);
      panel.press(null);
      go(zone.members.map(shapeOf));
      selected.focus();
    }
    function touch(code, latlng) {
      show(code);
      map.panInside(latlng, { ...room(map), ...motion() });
    }
    return { pick, pickZone, touch };
  }

  function start(map) {
    const data = read("presencia-data");
    const decoded = presencia.topology.decode(read("presencia-boundaries"));
    const say = presencia.speech(data.texts);
    say.fix({ ...data.terms, year: data.year, high_share: say.share(data.terms.high_share), minimum_coca_ha: say.number(data.terms.minimum_coca_ha, data.terms.minimum_coca_ha % 1 ? 1 : 0) });
    const model = presencia.model(data);
    let shown = data.scales[0];
    const context = { data, say, model, year: data.year, scale: () => shown };
    panel.label(say);
    controls(map, data, context);
    fit(map, data.views.mainland, { animate: false });
    const scene = draw(map, data, model, decoded);
    const names = layers.nameplates(map, model, decoded);
    names.fit();
    const { overlays, show } = switches(map, scene, names);
    const fill = scales.painter(data.colours.ground);
    const explain = () => scales.legend(byId("pr-legend"), shown, overlays.filter((overlay) => overlay.shown && overlay.id !== "departments"), context);
    function paint(scale) {
      shown = scale;
      scene.drawn.towns.eachLayer((polygon) => polygon.setStyle({ fillColor: fill(scale, polygon.options.town) }));
      explain();
    }
    const sheet = panel.sheet();
    const selected = selection(scene, context);
    Object.assign(context, { close: selected.close }, pickers(map, selected, decoded, context, sheet));
    overlays.filter((overlay) => overlay.shown).forEach((overlay) => show(overlay, true));
    paint(shown);
    listen(map, scene, context, sheet);
    fillPanel(data, context, overlays, { paint, toggle: (overlay, on) => { show(overlay, on); explain(); } });
    presencia.map = map;
  }

  function listen(map, scene, context, sheet) {
    tooltips([scene.drawn.towns, scene.drawn.posts, scene.drawn.etcr], context);
    for (const name of ["posts", "etcr"]) scene.drawn[name].bindPopup((layer) => hint(layer, context), { className: "pr-popup", closeButton: false });
    scene.drawn.towns.on("click", (event) => context.touch(event.layer.options.town.code, event.latlng));
    map.getContainer().setAttribute("aria-label", context.say.text("map"));
    map.getContainer().setAttribute("role", "region");
    document.addEventListener("pointerdown", (event) => { document.body.dataset.pointer = event.pointerType; }, true);
    document.addEventListener("keydown", (event) => {
      delete document.body.dataset.pointer;
      if (event.key !== "Escape") return;
      if (sheet.isOpen()) sheet.hide();
      else context.close();
    });
  }

  function fillPanel(data, context, overlays, { paint, toggle }) {
    const announce = (scale) => {
      paint(scale);
      byId("pr-live").textContent = context.say.text("coloured", { measure: context.say.text("measure_" + scale.field) });
    };
    panel.finding(context);
    panel.measures(data.scales, data.scales[0].field, context, announce);
    panel.overlays(overlays, context, toggle);
    panel.top(context);
    panel.notes(context);
    panel.sources(data.sources);
  }

  presencia.start = start;
})((window.presencia = window.presencia || {}));
