/* Starts the page and keeps map, panel, table and card in step with its state. At hand as presencia.app and presencia.map. */
(function (presencia) {
  const { node, byId, apart } = presencia.dom;
  const NARROW = "(max-width: 760px)";
  const PARTS = ["panel", "weights", "legend", "card", "time", "find", "table", "take"];
  const { SCORES } = presencia.store;

  const read = (id) => JSON.parse(byId(id).textContent);
  const matches = (query) => window.matchMedia(query).matches;
  const calm = () => matches("(prefers-reduced-motion: reduce)");
  const motion = () => ({ animate: !calm() });
  const round = (value, decimals) => Number(value.toFixed(decimals));

  /* Leaflet ignores a new view while it animates a zoom, so a quick second click waits for the first. */
  const whenStill = (map, act) => (map._animatingZoom ? map.once("zoomend", act) : act());

  const shapesOf = ({ data, decoded }, places) => places.map((place) => decoded.shapes.get(data.codes[place]) || []);

  /* What the page shows when nobody has moved it: the mainland, or the department that was chosen. */
  function home({ data, decoded, model, store }) {
    const { department } = store.get();
    const inside = model.towns.filter((town) => town.department_code === department);
    const bounds = L.latLngBounds(shapesOf({ data, decoded }, inside.map((town) => town.place)).flat(3));
    return bounds.isValid() ? bounds : data.views.mainland;
  }

  /* Moves of the page's own are no view that somebody chose. */
  function quietly(app, move) {
    app.quiet = true;
    move();
    app.quiet = false;
  }

  function refit(app) {
    whenStill(app.map, () => {
      quietly(app, () => app.map.fitBounds(home(app), { ...room(app.map), animate: false }));
      app.fitted = { at: app.map.getCenter(), zoom: app.map.getZoom() };
      app.store.set({ view: null });
    });
  }

  /* Leaflet asks at each pan and zoom whether to glide: whoever wants no motion gets none. */
  function steady(map) {
    if (!calm()) return;
    const pan = map.panBy;
    map._zoomAnimated = map.options.inertia = false;
    map.panBy = (by, options) => pan.call(map, by, { ...options, animate: false });
  }

  /* Leaflet's own answer to a new size moves the map by a part of a pixel. */
  const still = ({ map, fitted }) => fitted && map.getZoom() === fitted.zoom && map.project(map.getCenter()).distanceTo(map.project(fitted.at)) < 2;

  /* A view that nobody has moved since it was fitted is fitted anew when the room for it changes. */
  function resized(app) {
    quietly(app, () => app.map.invalidateSize({ animate: false }));
    if (app.fitted) refit(app);
  }

  const fit = (map, bounds, options) => whenStill(map, () => map.fitBounds(bounds, { ...room(map), ...motion(), ...options }));

  /* Room that card, table and legend take from the map, so that what was chosen is not hidden under them. */
  function room(map) {
    const [card, table, legend] = ["pr-card", "pr-table", "pr-legend"].map(byId);
    const high = (box) => (box.hidden ? 0 : box.offsetHeight);
    const strip = matches(NARROW) || document.body.dataset.compare === "side" ? high(legend) + 12 : 0;
    const below = Math.min(Math.max(strip, high(table)) + 24, map.getSize().y / 2);
    if (matches(NARROW)) return { paddingTopLeft: [16, Math.min(60, map.getSize().y / 6)], paddingBottomRight: [16, Math.min(Math.max(below, high(card) - high(byId("pr-time")) + 24), 0.7 * map.getSize().y)] };
    const over = !card.hidden && card.getBoundingClientRect().left < map.getContainer().getBoundingClientRect().right;
    return { paddingTopLeft: [24, 24], paddingBottomRight: [over ? Math.min(card.offsetWidth + 36, map.getSize().x / 2) : 24, below] };
  }

  /* The page as it was opened, without what Leaflet built into it: what is saved opens as this one did. */
  function source() {
    const copy = document.documentElement.cloneNode(true);
    for (const box of copy.querySelectorAll(".folium-map")) {
      box.replaceChildren();
      box.className = "folium-map";
      for (const name of ["style", "tabindex"]) box.removeAttribute(name);
    }
    return "<!DOCTYPE html>\n" + copy.outerHTML;
  }

  function build(map) {
    const data = read("presencia-data");
    const decoded = presencia.topology.decode(read("presencia-boundaries"));
    const model = presencia.model(data);
    const engine = presencia.engine(data, presencia.topology.neighbours(decoded, (code) => model.place.get(code)));
    presencia.vacate(model, engine.values("farc_events_window", data.year), data.terms.vacated_events);
    const store = presencia.store.open(data, engine.years);
    const say = presencia.speech(data.texts[store.get().lang]);
    const scales = new Map(data.scales.map((scale) => [scale.field, scale]));
    const app = {
      map, data, decoded, model, engine, store, say,
      flat: presencia.canvas.plane(map, decoded, data.codes),
      scale: (measure) => scales.get(measure),
      scored: () => engine.scored(store.get()),
      announce: (text) => { byId("pr-live").textContent = text; },
      shapes: (place) => shapesOf({ data, decoded }, [place])[0].map((rings) => rings.map((ring) => ring.map(({ lng, lat }) => [lng, lat]))),
    };
    app.values = (measure, year) => (measure === "score" ? engine.scored({ ...store.get(), year }).score : engine.values(measure, year));
    return app;
  }

  function speak(app) {
    const { data, say, store } = app;
    const { lang } = store.get();
    say.use(lang, data.texts[lang]);
    const { terms } = data;
    const ha = say.number(terms.minimum_coca_ha, terms.minimum_coca_ha % 1 ? 1 : 0);
    say.fix({ ...terms, high_share: say.share(terms.high_share), minimum_coca_ha: ha });
    document.documentElement.lang = lang;
    app.map.getContainer().setAttribute("aria-label", say.text("map"));
    date(app);
  }

  function date({ say, store }) {
    const { year } = store.get();
    say.fix({ year });
    document.title = `${say.text("title")} · ${year}`;
  }

  function controls(app) {
    const { map, data, say } = app;
    map.attributionControl.setPrefix("Leaflet").addAttribution(node("i", {}, apart(data.attribution)).innerHTML);
    const zoom = L.control.zoom({ position: "topleft" }).addTo(map);
    const views = L.control({ position: "topleft" });
    const buttons = Object.entries(data.views).filter(([, bounds]) => bounds).map(([name, bounds]) =>
      node("button", { type: "button", "data-view": name, click: () => fit(map, bounds) }));
    views.onAdd = () => {
      const box = node("div", { class: "pr-views leaflet-bar" }, buttons);
      L.DomEvent.disableClickPropagation(box);
      return box;
    };
    views.addTo(map);
    zoom.getContainer().addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      event.target.click();
    });
    const word = () => {
      buttons.forEach((button) => { button.textContent = say.text("view_" + button.dataset.view); });
      for (const way of ["in", "out"]) {
        const button = zoom.getContainer().querySelector(".leaflet-control-zoom-" + way);
        button.title = say.text("zoom_" + way);
        button.setAttribute("aria-label", button.title);
      }
    };
    word();
    app.store.on(["lang"], word);
  }

  /* What a scene shows at a place, in words, and the enclave that lies there. */
  function hint(app, place, { measure, year }, enclave) {
    const town = app.model.towns[place];
    const value = presencia.scales.write(app.scale(measure), app.values(measure, year)[place], app.say);
    const line = presencia.scales.name(measure, app.say, year) + ": " + value;
    return node("div", {}, node("strong", {}, town.name), node("span", {}, town.department), node("span", { class: "pr-hint-value" }, line), app.cells?.hint(enclave));
  }

  function pointHint({ post, site }, say) {
    if (post) return node("div", {}, node("strong", {}, post.name || ""), node("span", {}, say.text("post_" + post.kind)));
    return node("div", {}, node("strong", {}, site.name || ""), node("span", {}, site.municipality || ""), node("span", {}, say.text("etcr")));
  }

  /* The pointer on a map of municipalities: hovering names them, a click chooses. */
  function pointing(map, app, shown) {
    const find = presencia.canvas.finder(map, app.flat);
    const tip = L.tooltip({ className: "pr-hint", direction: "auto", offset: [12, 0], opacity: 1 });
    let [over, within] = [-1, null];
    function leave() {
      over = -1;
      tip.remove();
      app.hover(null);
    }
    map.on("mousemove", ({ latlng, originalEvent }) => {
      const place = document.body.dataset.pointer === "touch" || originalEvent.target.closest?.(".leaflet-control, .leaflet-interactive") ? -1 : find(latlng);
      if (place < 0) return over < 0 ? undefined : leave();
      const enclave = app.cells?.at(map, latlng);
      if (place !== over || enclave !== within) {
        [over, within] = [place, enclave];
        app.hover(place);
        tip.setContent(hint(app, place, shown(latlng), enclave));
      }
      tip.setLatLng(latlng).addTo(map);
    });
    map.on("mouseout movestart zoomstart", leave);
    map.on("click", ({ latlng }) => {
      const id = app.cells?.at(map, latlng) || app.data.codes[find(latlng)];
      if (!id) return;
      app.choose(id, {});
      map.panInside(latlng, { ...room(map), ...motion() });
    });
  }

  function places(app, id) {
    if (!id) return [];
    if (app.model.place.has(id)) return [app.model.place.get(id)];
    return [...(app.scored().zones.find((zone) => zone.id === id)?.members || [])];
  }

  /* Posts and sites are Leaflet's own, made when first shown; names of departments stand where they fit. */
  function points(map, app) {
    const known = new Map();
    const make = { posts: () => presencia.points.posts(app.model, app.data.colours.points), etcr: () => presencia.points.etcr(app.model, app.data.colours.points) };
    const names = presencia.points.nameplates(map, app.model, app.decoded);
    function dress(group) {
      const content = (layer) => pointHint(layer.options, app.say);
      group.bindTooltip(content, { sticky: true, className: "pr-hint", direction: "auto", offset: [12, 0] });
      group.bindPopup(content, { className: "pr-popup", closeButton: false });
      return group;
    }
    names.fit();
    return ({ overlays }) => {
      for (const [id, build] of Object.entries(make)) {
        const shown = overlays.includes(id);
        if (shown && !known.has(id)) known.set(id, dress(build()));
        if (known.has(id)) known.get(id)[shown ? "addTo" : "removeFrom"](map);
      }
      names.group[overlays.includes("departments") ? "addTo" : "removeFrom"](map);
    };
  }

  /* The second view: another map beside the first, or another scene on it, cut along a line. */
  function comparison(app, first) {
    const { map, store } = app;
    const [box, range] = [byId("pr-second"), byId("pr-swipe")];
    const panes = ["pr-one", "pr-two"].map((name) => map.getPane(name));
    let other = null;
    let beside = null;

    function cut() {
      const { swipe, compare } = store.get();
      if (compare !== "swipe") return panes.forEach((pane) => { pane.style.clipPath = ""; });
      const size = map.getSize();
      const [start, end] = [map.containerPointToLayerPoint([0, 0]), map.containerPointToLayerPoint(size)];
      const line = start.x + Math.round(size.x * swipe);
      const between = (left, right) => `polygon(${left}px ${start.y}px, ${right}px ${start.y}px, ${right}px ${end.y}px, ${left}px ${end.y}px)`;
      panes[0].style.clipPath = between(start.x, line);
      panes[1].style.clipPath = between(line, end.x);
    }

    function besides() {
      const made = L.map(box, { zoomControl: false, attributionControl: false, zoomSnap: map.options.zoomSnap, crs: map.options.crs, keyboard: false, trackResize: false });
      steady(made);
      made.setView(map.getCenter(), map.getZoom(), { animate: false });
      const names = presencia.points.nameplates(made, app.model, app.decoded);
      names.group.addTo(made);
      names.fit();
      /* A map that is led moves by whole pixels, and must not lead the other in turn. */
      let leading = false;
      const lead = (act) => () => {
        if (leading) return;
        leading = true;
        act();
        leading = false;
      };
      const follow = (from, to) => lead(() => {
        if (to.getCenter().equals(from.getCenter(), 1e-9) && to.getZoom() === from.getZoom()) return;
        to.setView(from.getCenter(), from.getZoom(), { animate: false });
      });
      const led = follow(map, made);
      const fill = lead(() => made.invalidateSize({ animate: false }));
      const watch = new ResizeObserver(() => { fill(); led(); });
      watch.observe(box);
      made.on("move", follow(made, map));
      map.on("move", led);
      pointing(made, app, () => ({ measure: store.get().measure2, year: store.get().year2 }));
      return { map: made, close: () => { watch.disconnect(); map.off("move", led); made.remove(); } };
    }

    function arrange() {
      const { compare } = store.get();
      other?.remove();
      beside?.close();
      other = beside = null;
      document.body.dataset.compare = compare;
      box.hidden = compare !== "side";
      range.hidden = compare !== "swipe";
      if (matches(NARROW)) byId("pr-legend").firstChild.open = compare !== "side";
      resized(app);
      if (compare === "side") {
        beside = besides();
        other = presencia.scene(beside.map, app, { second: true });
      }
      if (compare === "swipe") other = presencia.scene(map, app, { pane: "pr-two", second: true });
      cut();
      badges(app);
    }

    range.addEventListener("input", () => store.set({ swipe: Number(range.value) }));
    range.value = store.get().swipe;
    map.on("move resize viewreset zoomend", cut);
    store.on(["swipe"], ({ swipe }) => { range.value = swipe; cut(); });
    store.on(["compare"], arrange);
    if (store.get().compare !== "off") arrange();
    return (act) => { act(first, false); if (other) act(other, true); };
  }

  function badges({ store, say }) {
    const { compare, measure, measure2, year, year2 } = store.get();
    const both = [[measure, year], [measure2, year2]];
    both.forEach(([field, when], order) => {
      const badge = byId("pr-badge-" + (order + 1));
      badge.hidden = compare === "off";
      badge.textContent = presencia.scales.name(field, say, when);
    });
  }

  /* The table opens over the lower half of the map: what is chosen moves out from under it. */
  function reveal(app, id) {
    const shapes = shapesOf(app, places(app, id));
    if (shapes.flat().length) app.map.panInside(presencia.topology.centre(shapes), { ...room(app.map), ...motion() });
  }

  /* What has to be drawn again when a part of the state changes. */
  function follow(app, scenes, showPoints) {
    const { store } = app;
    store.on(["year", "measure", ...SCORES], () => scenes((scene, second) => { if (!second || store.get().measure2 === "score") scene.paint(); }));
    store.on(["year2", "measure2"], () => scenes((scene, second) => { if (second) scene.paint(); }));
    store.on(["year", "year2", ...SCORES], () => scenes((scene) => scene.outline()));
    store.on(["chosen", "year", ...SCORES], () => scenes((scene) => scene.mark({ chosen: places(app, store.get().chosen) })));
    store.on(["overlays"], (state) => { showPoints(state); scenes((scene) => { scene.lines(); scene.outline(); }); });
    store.on(["table"], ({ table, chosen }) => { if (table && chosen) reveal(app, chosen); });
    store.on(["department"], () => { scenes((scene) => scene.lines()); refit(app); });
    store.on(["measure", "measure2", "year", "year2", "lang"], () => badges(app));
    store.on(["measure"], ({ measure, year }) => app.announce(app.say.text("coloured", { measure: presencia.scales.name(measure, app.say, year) })));
  }

  /* The map follows the view of the state, which another address may change, and the state the map. */
  function remember(app) {
    const { map, store } = app;
    const here = () => {
      const { lat, lng } = map.getCenter();
      return [round(lat, 4), round(lng, 4), round(map.getZoom(), 2)];
    };
    function go({ view }) {
      if (view === null) return app.fitted || refit(app);
      if (view.join() !== here().join()) map.setView(view.slice(0, 2), view[2], { animate: false });
    }
    map.invalidateSize({ animate: false });
    go(store.get());
    new ResizeObserver(() => resized(app)).observe(map.getContainer());
    map.on("moveend", () => {
      if (app.quiet || still(app)) return;
      app.fitted = null;
      store.set({ view: here() });
    });
    store.on(["view"], go);
  }

  function keys({ panel, table, card }) {
    document.addEventListener("pointerdown", (event) => { document.body.dataset.pointer = event.pointerType; }, true);
    document.addEventListener("keydown", (event) => {
      delete document.body.dataset.pointer;
      if (event.key !== "Escape" || event.defaultPrevented) return;
      if (panel.isOpen()) panel.hide();
      else if (table.isOpen()) table.close();
      else card.close();
    });
  }

  /* On a narrow screen, keyboard focus that goes under a sheet brings that sheet down. */
  function uncover({ panel, card, store }) {
    const sheets = { "pr-panel": panel.close, "pr-table": () => store.set({ table: false }), "pr-card": card.close };
    document.addEventListener("focusin", ({ target }) => {
      if (!matches(NARROW) || document.body.dataset.pointer) return;
      const { x, y, width, height } = target.getBoundingClientRect();
      const over = document.elementFromPoint(x + width / 2, y + height / 2)?.closest("#pr-panel, #pr-table, #pr-card");
      if (over && !over.contains(target)) sheets[over.id]();
    });
  }

  function start(map) {
    const origin = source();
    const app = build(map);
    presencia.app = app;
    const { store } = app;
    steady(map);
    app.cells = presencia.density?.(app);
    app.source = origin;
    app.picture = () => presencia.picture(app);
    ["pr-one", "pr-two"].forEach((name, order) => { map.createPane(name).style.zIndex = 380 + order; });
    map.getContainer().setAttribute("role", "region");
    map.eachLayer((layer) => { if (layer instanceof L.TileLayer) document.body.dataset.tiles = ""; });
    app.choose = choose(app);
    speak(app);
    store.on(["lang"], () => speak(app));
    store.on(["year"], () => date(app));
    controls(app);
    for (const part of PARTS) app[part] = presencia[part](app);
    app.cells?.join();
    keys(app);
    uncover(app);
    remember(app);
    draw(app);
    presencia.map = map;
  }

  /* The parts stand before the map is fitted, which leaves room for them. */
  function draw(app) {
    const { map, store } = app;
    const scenes = comparison(app, presencia.scene(map, app, { pane: "pr-one" }));
    app.redraw = () => scenes((scene) => { scene.paint(); scene.outline(); });
    app.hover = (place) => scenes((scene) => scene.mark({ hover: place }));
    const showPoints = points(map, app);
    showPoints(store.get());
    follow(app, scenes, showPoints);
    pointing(map, app, (latlng) => sideOf(app, latlng));
    if (store.get().chosen) scenes((scene) => scene.mark({ chosen: places(app, store.get().chosen) }));
  }

  /* Which of the two views lies at a point: on a swiped map the right part is the second. */
  function sideOf({ map, store }, latlng) {
    const { compare, swipe, measure, year, measure2, year2 } = store.get();
    const second = compare === "swipe" && map.latLngToContainerPoint(latlng).x > map.getSize().x * swipe;
    return second ? { measure: measure2, year: year2 } : { measure, year };
  }

  function choose(app) {
    return (id, { fly = false, focus = false } = {}) => {
      app.store.set({ chosen: id });
      if (id && matches(NARROW)) app.panel.close();
      const { bounds, ...options } = app.cells?.goal(id) || { bounds: L.latLngBounds(shapesOf(app, places(app, id)).flat(3)), maxZoom: 8.5 };
      quietly(app, () => app.map.invalidateSize({ animate: false }));
      if (fly) app.fitted = null;
      if (fly && bounds.isValid()) fit(app.map, bounds, options);
      if (focus && id) byId("pr-card").focus();
    };
  }

  presencia.start = start;
})((window.presencia = window.presencia || {}));
