/** The page of one study, for researchers: its progress is fetched anew while the study is open. */

const EVERY = 5000;
const place = document.getElementById("progress");

async function refresh() {
  if (!place || document.hidden) return;
  const answer = await fetch(place.dataset.address ?? "", { redirect: "manual" });
  // Logged out meanwhile: the login page is one reload away.
  if (answer.type === "opaqueredirect") return window.location.reload();
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  place.replaceChildren(...fresh.body.childNodes);
}

if (place?.dataset.live === "1") {
  setInterval(() => {
    refresh().catch((error) => {
      if (!(error instanceof TypeError)) throw error;
    });
  }, EVERY);
}
