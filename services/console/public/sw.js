/**
 * Keeps the shell of the console, so that it opens without a network and says that there is none. Nothing of an API is ever
 * kept: prices, balances and answers come from the server or not at all.
 */
const CACHE = 'bourse-shell-1'
const PAGE = '/'

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.add(new Request(PAGE, { cache: 'reload' }))))
  self.skipWaiting()
})

self.addEventListener('activate', (event) => {
  const cleaned = caches
    .keys()
    .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
  event.waitUntil(cleaned.then(() => self.clients.claim()))
})

/** Hashed files never change: the first one fetched is kept. Those of older builds go when there are too many. */
const KEPT_MAX = 40
const fromCache = async (request) => {
  const cache = await caches.open(CACHE)
  const kept = await cache.match(request)
  if (kept !== undefined) return kept
  const answer = await fetch(request)
  if (answer.ok) {
    const keys = await cache.keys()
    if (keys.length >= KEPT_MAX) await cache.delete(keys.find(({ url }) => new URL(url).pathname !== PAGE) ?? keys[0])
    await cache.put(request, answer.clone())
  }
  return answer
}

/** What a page loaded before the worker was there: it is in the browser's own cache, so keeping it costs no second download. */
self.addEventListener('message', (event) => {
  if (event.origin !== '' && event.origin !== self.location.origin) return
  const requests = event.data.map((path) => new Request(new URL(path, self.location.origin)))
  event.waitUntil(Promise.allSettled(requests.map(fromCache)))
})

/** The page of the server while there is one: a new build shows at once. */
const page = async (request) => {
  const cache = await caches.open(CACHE)
  try {
    const answer = await fetch(request)
    // Addresses of the server that are no page (health, a file) are not what opens without a network.
    const isPage = answer.ok && (answer.headers.get('content-type') ?? '').startsWith('text/html')
    if (isPage) await cache.put(PAGE, answer.clone())
    return answer
  } catch {
    return (await cache.match(PAGE)) ?? Response.error()
  }
}

self.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== self.location.origin) return
  if (url.pathname.startsWith('/assets/')) event.respondWith(fromCache(request))
  else if (request.mode === 'navigate' && !/^\/(api|docs|openapi|metrics|ws)/.test(url.pathname))
    event.respondWith(page(request))
})
