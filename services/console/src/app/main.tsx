import '../design/tokens.css'
import '../design/base.css'
import '../design/components.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { applyScheme, browserStorage, storedScheme } from './scheme.ts'

const root = document.getElementById('app')
if (root === null) throw new Error('the page has no element with the id app')

applyScheme(storedScheme(browserStorage), document.documentElement, browserStorage)

/** A page that broke says so and how to go on, instead of staying white. */
const showBreak = (): void => {
  root.textContent =
    'The console hit a fault of its own and stopped, so that it shows nothing wrong. ' +
    'Your trades and money are on the server, untouched. Load the page again to go on.'
  root.className = 'broken'
}

createRoot(root, { onUncaughtError: showBreak }).render(
  <StrictMode>
    <App />
  </StrictMode>,
)

/** Tells the worker what was loaded before it was there, so that one visit is enough to open without a network. */
const keepLoaded = async (): Promise<void> => {
  const { active } = await navigator.serviceWorker.ready
  new PerformanceObserver((list) => {
    const paths = list.getEntries().map(({ name }) => new URL(name).pathname)
    const assets = paths.filter((path) => path.startsWith('/assets/'))
    if (assets.length > 0) active?.postMessage(assets)
  }).observe({ type: 'resource', buffered: true })
}

if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  window.addEventListener('load', () => {
    // Without one the console works as well; it only does not open without a network.
    navigator.serviceWorker
      .register('/sw.js')
      .then(keepLoaded)
      .catch(() => undefined)
  })
}
