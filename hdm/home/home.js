"use strict";
const line = document.getElementById("main").dataset.line;
const WHO = "hdm-who";

async function ask(address, content) {
  const options = content === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) };
  const answer = await fetch(address, options);
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.error || `the server answered ${answer.status}`);
  return told;
}

for (const field of document.querySelectorAll("input[name=who]")) {
  field.value = localStorage.getItem(WHO) || "";
  field.addEventListener("change", () => localStorage.setItem(WHO, field.value.trim()));
}

// Forms of class "order" are sent as JSON; what is wrong is said in them. data-then: where to go
// afterwards; the page itself if there is none.
for (const form of document.querySelectorAll("form.order")) {
  const alert = document.createElement("p");
  alert.setAttribute("role", "alert");
  form.append(alert);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    alert.textContent = "";
    const content = {};
    for (const [name, value] of new FormData(form, event.submitter)) content[name] = value.trim();
    if (content.row) content.row = Number(content.row);
    if (form.dataset.asked) content.confirm = true;
    const buttons = form.querySelectorAll("button");
    buttons.forEach((one) => { one.disabled = true; });
    try {
      await ask(form.getAttribute("action"), content);
      if (form.dataset.then) location.assign(form.dataset.then); else location.reload();
    } catch (error) {
      alert.textContent = error.message;
      // What contradicts something is asked back once; sent again it is meant.
      if (form.dataset.confirms !== undefined && !form.dataset.asked) form.dataset.asked = "yes";
      buttons.forEach((one) => { one.disabled = false; });
    }
  });
}

// Adding a line: looked at as often as one likes, then added.
for (const form of document.querySelectorAll("form.adds")) {
  const alert = form.querySelector("[role=alert]"), found = form.querySelector("pre");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    alert.textContent = "";
    const buttons = form.querySelectorAll("button");
    const content = Object.fromEntries(new FormData(form, event.submitter));
    buttons.forEach((one) => { one.disabled = true; });
    try {
      const told = await ask(form.getAttribute("action"), content);
      found.hidden = false;
      found.textContent = told.told.join("\n");
      if (told.added) location.assign(`/${told.added}`);
    } catch (error) { alert.textContent = error.message; }
    buttons.forEach((one) => { one.disabled = false; });
  });
}

// The command that runs: looked at every two seconds; the page is fresh when it has ended.
const panel = document.getElementById("order");
function span(seconds) {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
async function follow() {
  let told;
  try { told = await ask(`/v1/${line}/order`); } catch { setTimeout(follow, 4000); return; }
  if (told.state !== "running" && panel.dataset.state === "running") { location.reload(); return; }
  panel.querySelector(".time").textContent = told.seconds === null ? "" : span(told.seconds);
  panel.querySelector("pre").textContent = told.output.join("\n");
  const bar = panel.querySelector("progress"), where = panel.querySelector(".where");
  if (bar && told.progress) {
    where.textContent = told.progress.sentence;
    if (told.progress.share === null) bar.removeAttribute("value"); else bar.value = told.progress.share;
  }
  if (told.state === "running") setTimeout(follow, 2000);
}
if (panel) {
  follow();
  const stop = panel.querySelector("button.stop");
  if (stop) stop.addEventListener("click", async () => {
    stop.disabled = true;
    await ask(`/v1/${line}/stop`, {}).catch(() => { stop.disabled = false; });
  });
}

// The slider: one row of what was computed beforehand for each step.
const slider = document.getElementById("step");
if (slider) {
  const steps = JSON.parse(document.getElementById("steps").textContent);
  const put = (name, text) => { document.getElementById(name).textContent = text; };
  const number = (name) => Number.parseFloat(document.getElementById(name).value);
  const show = () => {
    const one = steps[slider.value];
    put("threshold", one.threshold);
    put("promise", one.promise);
    put("escaped", `${one.escaped} of ${one.defects}`);
    put("recall", `${one.recall} stopped, interval ${one.recall_bounds}`);
    put("alarms", `${one.false_alarms} of ${one.good}`);
    put("alarm-rate", `${one.false_alarm_rate}, interval ${one.false_alarm_bounds}`);
    put("expected", one.expected);
    put("worst", one.worst ? `Worst type, stopped: ${one.worst}` : "");
    slider.setAttribute("aria-valuetext", `threshold ${one.threshold}: ${one.escaped} of `
      + `${one.defects} defective parts escape, ${one.false_alarms} of ${one.good} good parts are stopped`);
    document.getElementById("rate").value = one.rate;
    const share = number("defect-share") / 100, escape = number("escape-cost"), reject = number("reject-cost");
    const cost = share * escape * one.escape_share + (1 - share) * reject * one.alarm_share;
    put("cost", Number.isFinite(cost) ? (1000 * cost).toFixed(1) : "–");
  };
  for (const name of ["step", "defect-share", "escape-cost", "reject-cost"]) {
    document.getElementById(name).addEventListener("input", show);
  }
  show();
}

for (const form of document.querySelectorAll("form.pick")) {
  const go = () => location.assign(`${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`);
  form.addEventListener("submit", (event) => { event.preventDefault(); go(); });
  const button = form.querySelector("button");
  if (!button) form.addEventListener("change", go);
}
