"use strict";
(() => {
  const one = (id) => document.getElementById(id);
  const objects = [...document.querySelectorAll(".object")];
  const links = objects.map((o) => document.querySelector(`nav a[href="#${o.id}"]`));
  const texts = objects.map((o) => o.dataset.text);
  const groups = [...document.querySelectorAll("nav .group")].map((g) => [g, [...g.querySelectorAll("a[href^='#o']")]]);
  const filter = one("filter"), injector = one("injector"), none = one("none");
  const boxes = [...document.querySelectorAll("[data-status][type=checkbox]")];
  let at = -1;

  // Every word has to be in what the filter looks through.
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const off = new Set(boxes.filter((b) => !b.checked).map((b) => b.dataset.status));
    let shown = 0;
    objects.forEach((o, i) => {
      const hide = off.has(o.dataset.status) || !words.every((w) => texts[i].includes(w));
      if (o.hidden !== hide) {
        o.hidden = hide;
        links[i].parentNode.hidden = hide;
      }
      shown += hide ? 0 : 1;
    });
    for (const [g, inside] of groups) g.hidden = inside.length > 0 && inside.every((a) => a.parentNode.hidden);
    none.hidden = shown > 0 || objects.length === 0;
  };
  filter.addEventListener("input", apply);
  boxes.forEach((b) => b.addEventListener("change", apply));

  // The two columns are made of the lines that are there, when they come into sight.
  const columns = (pre) => {
    if (pre.lined) return pre.replaceChildren(...pre.lined), pre.lined = null, pre.classList.remove("columns");
    pre.lined = [...pre.childNodes];
    const out = [], left = [], right = [];
    const copy = (line, side) => {
      const c = line ? line.cloneNode(true) : document.createElement("span");
      c.classList.add(line ? "cell" : "empty", side);
      return c;
    };
    const flush = () => {
      for (let i = 0; i < Math.max(left.length, right.length); i++) out.push(copy(left[i], "left"), copy(right[i], "right"));
      left.length = right.length = 0;
    };
    for (const line of pre.lined) {
      if (line.className === "del") left.push(line);
      else if (line.className === "add") right.push(line);
      else {
        flush();
        if (line.className === "at") out.push(line.cloneNode(true));
        else out.push(copy(line, "left"), copy(line, "right"));
      }
    }
    flush();
    pre.replaceChildren(...out);
    pre.classList.add("columns");
  };
  const split = () => one("view-split").checked;
  const near = new Set();
  const line = (o) => {
    for (const pre of o.querySelectorAll(":scope > .lines")) if (!!pre.lined !== split()) columns(pre);
  };
  const watch = new IntersectionObserver((entries) => {
    for (const e of entries) {
      if (!e.isIntersecting) near.delete(e.target);
      else near.add(e.target), line(e.target);
    }
  }, { rootMargin: "600px" });
  objects.forEach((o) => watch.observe(o));
  const view = (name) => {
    one("view-" + name).checked = true;
    near.forEach(line);
  };
  document.querySelectorAll("[name=view]").forEach((r) => r.addEventListener("change", () => near.forEach(line)));
  injector.addEventListener("change", () => {
    for (const d of document.querySelectorAll(".injector")) d.open = injector.checked;
  });

  const go = (step) => {
    let to = at + step;
    while (to >= 0 && to < objects.length && objects[to].hidden) to += step;
    if (to < 0 || to >= objects.length) return;
    if (at >= 0) objects[at].classList.remove("here"), links[at].classList.remove("here");
    at = to;
    objects[at].classList.add("here");
    links[at].classList.add("here");
    objects[at].scrollIntoView({ block: "start" });
    links[at].scrollIntoView({ block: "nearest" });
    objects[at].querySelector("summary").focus({ preventScroll: true });
  };
  const keys = {
    j: () => go(1), k: () => go(-1), f: () => view("fields"), u: () => view("unified"), s: () => view("split"),
    i: () => injector.click(), o: () => at >= 0 && (objects[at].open = !objects[at].open),
    "/": () => filter.focus(),
  };
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === "Escape") {
      filter.value = "";
      filter.blur();
      apply();
    } else if (e.target !== filter && keys[e.key]) {
      e.preventDefault();
      keys[e.key]();
    }
  });
  // A browser keeps what was typed when a page is loaded again.
  apply();
})();
