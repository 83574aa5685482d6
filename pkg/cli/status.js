"use strict";
(() => {
  const stations = [...document.querySelectorAll(".branch > .node > .station")];
  const lists = [...document.querySelectorAll(".waiting")];
  let at = -1;
  const go = (step) => {
    const to = at + step;
    if (to < 0 || to >= stations.length) return;
    if (at >= 0) stations[at].classList.remove("here");
    at = to;
    stations[at].classList.add("here");
    stations[at].scrollIntoView({ block: "nearest", inline: "nearest" });
    stations[at].focus({ preventScroll: true });
  };
  const own = () => at < 0 ? null : stations[at].closest(".branch").querySelector(":scope > .way > .waiting");
  const keys = {
    j: () => go(1), k: () => go(-1),
    o: () => { const list = own(); if (list) list.open = !list.open; },
    a: () => { const open = lists.some((l) => !l.open); for (const l of lists) l.open = open; },
  };
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || !keys[e.key]) return;
    e.preventDefault();
    keys[e.key]();
  });
})();
