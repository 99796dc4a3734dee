// What a phone's share sheet sends stays on the phone: it is put aside here for the first page,
// which takes it as if it had been chosen there.

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

async function putAside(request) {
  const photo = (await request.formData()).get("photo");
  const shelf = await caches.open("shared");
  if (photo) await shelf.put("photo", new Response(photo));
  return Response.redirect("{% url 'uploads:new' %}?shared", 303);
}

self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method !== "POST" || new URL(url).pathname !== "{% url 'uploads:share_target' %}") return;
  event.respondWith(putAside(event.request));
});
