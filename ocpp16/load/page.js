"use strict";
// Readings: what the table of seconds says of the moment that is pointed at, or gone to by keys, in every picture of time.
addEventListener("DOMContentLoaded", () => {
  const table = document.getElementById("seconds");
  const areas = [...document.querySelectorAll(".area[data-columns]")];
  if (!table || !areas.length) return;
  const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  const rows = [...table.tBodies[0].rows];
  const times = rows.map((row) => Number(row.querySelector("time").dataset.at));
  const end = times[times.length - 1];
  let at = -1;

  const pictures = areas.map((area) => {
    const cross = area.appendChild(document.createElement("div"));
    cross.className = "cross";
    cross.hidden = true;
    const reading = document.createElement("output");
    area.parentElement.after(reading);
    const columns = area.dataset.columns.split(" ").map((name) => names.indexOf(name.replaceAll("_", " ")));
    area.tabIndex = 0;
    area.setAttribute("aria-label", "Left and right arrow read the figures");
    area.setAttribute("role", "group");
    return { area, cross, reading, columns };
  });

  function show(index, own) {
    at = index;
    for (const { area, cross, reading, columns } of pictures) {
      cross.hidden = index < 0;
      // Only the picture that is looked at speaks to who listens instead.
      reading.setAttribute("aria-live", area === own ? "polite" : "off");
      reading.replaceChildren();
      if (index < 0) continue;
      cross.style.left = (100 * times[index]) / Math.max(end, 1) + "%";
      const cells = rows[index].cells;
      const words = [cells[0].textContent, ...columns.map((column) => names[column] + " " + cells[column].textContent)];
      if (cells[cells.length - 1].textContent) words.push("the tool was late");
      for (const word of words) {
        const part = document.createElement("b");
        part.textContent = word;
        reading.append(part, " ");
      }
    }
  }

  function nearest(event, area) {
    const box = area.getBoundingClientRect();
    const time = ((event.clientX - box.left) / box.width) * Math.max(end, 1);
    let found = times.findIndex((one) => one >= time);
    if (found < 0) found = times.length - 1;
    return found > 0 && time - times[found - 1] < times[found] - time ? found - 1 : found;
  }

  const keys = {
    ArrowLeft: () => Math.max(at - 1, 0),
    ArrowRight: () => Math.min(at + 1, rows.length - 1),
    Home: () => 0,
    End: () => rows.length - 1,
    Escape: () => -1,
  };
  for (const { area } of pictures) {
    area.addEventListener("pointermove", (event) => show(nearest(event, area), area));
    area.addEventListener("pointerdown", (event) => show(nearest(event, area), area));
    area.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && show(-1, area));
    area.addEventListener("keydown", (event) => {
      if (!(event.key in keys)) return;
      event.preventDefault();
      show(keys[event.key](), area);
    });
  }
});
