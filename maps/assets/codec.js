/* Reads what maps/pack.py writes: whole numbers as base-64 digits, and columns and yearly series made of them. */
(function (presencia) {
  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const DIGIT = new Uint8Array(128);
  for (let at = 0; at < DIGITS.length; at++) DIGIT[DIGITS.charCodeAt(at)] = at;

  /* Numbers beyond 32 bits are met, so groups are added rather than shifted. */
  function varints(text) {
    const found = new Float64Array(text.length);
    let [count, value, unit] = [0, 0, 1];
    for (let at = 0; at < text.length; at++) {
      const digit = DIGIT[text.charCodeAt(at)];
      value += (digit & 31) * unit;
      if (digit & 32) {
        unit *= 32;
      } else {
        found[count++] = value;
        [value, unit] = [0, 1];
      }
    }
    return found.slice(0, count);
  }

  function unzigzag(number) {
    const half = Math.floor(number / 2);
    return 2 * half === number ? half : -half - 1;
  }

  const signed = (text) => varints(text).map(unzigzag);

  function places(text) {
    let place = 0;
    return varints(text).map((step) => (place += step));
  }

  function floats(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new Float64Array(bytes.buffer);
  }

  /* Steps between known values, a gap where there is 0; each row of so many values begins anew. */
  function whole({ whole: text, per }, length) {
    let value = 0;
    return varints(text).map((step, at) => {
      if (at % length === 0) value = 0;
      if (step === 0) return NaN;
      value += unzigzag(step - 1);
      return value / per;
    });
  }

  const flat = (packed, length) => ("floats" in packed ? floats(packed.floats) : whole(packed, length));

  function numbers(column, count) {
    if (Array.isArray(column)) return Float64Array.from(column, (value) => value ?? NaN);
    return flat(column, count);
  }

  function texts({ texts: known, places: order }) {
    return Array.from(varints(order), (place) => (place === 0 ? null : known[place - 1]));
  }

  /* A column a year. Who has no row had none in any year, unless nobody measured it in any. */
  function series(packed, count) {
    const { years } = packed;
    const columns = years.map(() => new Float64Array(count));
    const figures = flat(packed, years.length);
    places(packed.rows).forEach((place, row) => columns.forEach((column, at) => { column[place] = figures[row * years.length + at]; }));
    for (const place of places(packed.missing)) columns.forEach((column) => { column[place] = NaN; });
    return { years, columns: new Map(years.map((year, at) => [year, columns[at]])) };
  }

  presencia.codec = { varints, unzigzag, signed, places, numbers, texts, series };
})((window.presencia = window.presencia || {}));
