import { lazy, Suspense, useMemo, useState, type ComponentType } from 'react'
import { Button } from '../design/controls.tsx'
import { Banner, Loading } from '../design/surfaces.tsx'

type Load = () => Promise<{ readonly default: ComponentType }>

/** A page whose file did not come: the rest of the console goes on, and what was typed elsewhere stays. */
const NotLoaded = ({ onRetry }: { readonly onRetry: () => void }) => (
  <Banner
    tone="warn"
    title="This page could not be loaded"
    testId="notice-page"
    action={
      <div className="row">
        <Button small tone="primary" onClick={onRetry}>
          Try again
        </Button>
        <Button small onClick={() => location.reload()}>
          Load the console anew
        </Button>
      </div>
    }
  >
    Its file did not come: there is no connection, or the platform has a newer console by now, which loading anew
    brings.
  </Banner>
)

/** A page whose code is fetched when it is first shown, and again when that failed. */
export const loadedPage = (load: Load): ComponentType => {
  const Page = () => {
    const [attempt, setAttempt] = useState(0)
    const Loaded = useMemo(
      () =>
        lazy(async (): Promise<{ readonly default: ComponentType }> => {
          try {
            return await load()
          } catch {
            // Said on the page, with ways on; whoever retries gets another attempt.
            return { default: () => <NotLoaded onRetry={() => setAttempt(attempt + 1)} /> }
          }
        }),
      [attempt],
    )
    return (
      <Suspense fallback={<Loading what="the page" lines={8} />}>
        <Loaded />
      </Suspense>
    )
  }
  return Page
}
