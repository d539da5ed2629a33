import { Link } from 'wouter'
import { Banner } from '../design/surfaces.tsx'
import { useStore } from '../session/hooks.ts'
import { useDesk } from './desk.ts'
import { isOpen } from './intent.ts'
import { pathOf } from './pages.ts'

/** Says on other pages that the end of a deed is open, and where to go on with it. */
export const UnderWay = () => {
  const { deeds } = useDesk()
  const intent = useStore(deeds)
  if (!isOpen(intent)) return null
  return (
    <Banner
      tone="warn"
      title="It is not yet known how your last request ended"
      action={<Link href={pathOf('trade')}>Go on with it</Link>}
    >
      Its key is kept with it, so that asking again does nothing twice.
    </Banner>
  )
}
