// Text that toolkit/report/packing.py has deflated into an element of the page.
async function unpacked(id) {
  "use strict";
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}
