(() => {
  "use strict";
  const PERIOD_MS = 2500;
  const root = document.documentElement;
  const charts = () => document.getElementById("charts");
  let columns = null;
  let pointed = null;

  const ask = (url, type) => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", url);
    request.responseType = type;
    request.timeout = 4 * PERIOD_MS;
    request.onload = () => request.status === 200 && request.response ? resolve(request.response) : reject();
    request.onerror = request.ontimeout = reject;
    request.send();
  });

  const isInUse = (part) => part.contains(document.activeElement) && document.activeElement !== document.body
    || !getSelection().isCollapsed && getSelection().containsNode(part, true);

  const replace = (fresh) => {
    document.title = fresh.title;
    for (const part of document.querySelectorAll("[data-live]")) {
      const next = fresh.getElementById(part.id);
      if (!next || isInUse(part)) continue;
      for (const details of part.querySelectorAll("details[open]")) {
        const same = next.ownerDocument.getElementById(details.id);
        if (same) same.open = true;
      }
      if (!part.isEqualNode(next)) part.replaceWith(document.importNode(next, true));
    }
  };

  const refresh = async () => {
    if (!document.hidden) {
      try {
        const [page, history] = await Promise.all([
          ask(location.pathname + location.search, "document"),
          ask("history?window=" + charts().dataset.window, "json"),
        ]);
        columns = history;
        replace(page);
        point();
        document.getElementById("stale").hidden = true;
        root.dataset.refreshed = String(Number(root.dataset.refreshed || 0) + 1);
      } catch {
        document.getElementById("stale").hidden = false;
      }
    }
    setTimeout(refresh, PERIOD_MS);
  };

  const inWords = (value, unit) => {
    if (value === null || value === undefined) return "–";
    if (unit !== "ms") return value.toLocaleString("en", { maximumFractionDigits: 1 });
    if (value < 1000) return value + " ms";
    return value < 60000 ? (value / 1000).toFixed(1) + " s" : Math.round(value / 60000) + " min";
  };

  const point = () => {
    document.querySelectorAll(".plot .cursor").forEach((line) => line.remove());
    if (!pointed || !columns || !columns.atMs.length) return;
    const figure = document.getElementById(pointed.figure);
    if (!figure) return;
    const length = columns.atMs.length;
    const capacity = columns.capacity;
    const index = Math.min(length - 1, Math.max(0, length - 1 - Math.round((1 - pointed.share) * (capacity - 1))));
    for (const value of figure.querySelectorAll("[data-column]")) {
      const column = value.dataset.column.split(".").reduce((at, name) => at && at[name], columns);
      if (column) value.textContent = inWords(column[index], figure.dataset.unit);
    }
    const line = document.createElement("span");
    line.className = "cursor";
    const share = 1 - (length - 1 - index) / (capacity - 1);
    figure.querySelector(".plot").append(line);
    line.style.left = share * 100 + "%";
    const ago = Math.round((columns.atMs[length - 1] - columns.atMs[index]) / 1000);
    figure.querySelector(".axis span:last-child").textContent = ago === 0 ? "now" : ago < 120 ? ago + " s ago" : Math.round(ago / 60) + " min ago";
  };

  document.addEventListener("pointermove", (event) => {
    const plot = event.target.closest && event.target.closest(".plot");
    if (plot) {
      const box = plot.getBoundingClientRect();
      pointed = { figure: plot.parentElement.id, share: (event.clientX - box.left) / box.width };
      point();
    } else if (pointed) {
      pointed = null;
      point();
    }
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest && event.target.closest("button.copy");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.previousElementSibling.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(button.previousElementSibling);
    }
  });

  root.classList.add("js");
  refresh();
})();
