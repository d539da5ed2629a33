import { useEffect, useState } from 'react'
import { Button } from '../design/controls.tsx'
import { Dialog } from '../design/surfaces.tsx'
import { useStore } from '../session/hooks.ts'
import { useDesk } from './desk.ts'
import { isOpen } from './intent.ts'

/** While the end of a deed is open, a reload asks first: it would forget the deed's key. */
const useHoldPage = (isHeld: boolean): void => {
  useEffect(() => {
    if (!isHeld) return
    const hold = (event: BeforeUnloadEvent): void => {
      event.preventDefault()
    }
    window.addEventListener('beforeunload', hold)
    return () => {
      window.removeEventListener('beforeunload', hold)
    }
  }, [isHeld])
}

/** Locks the desk; with a deed whose end is open only after its idempotency key was shown, since the lock forgets it. */
export const Lock = ({ onLock }: { readonly onLock: () => void }) => {
  const { deeds } = useDesk()
  const intent = useStore(deeds)
  const [isAsking, setAsking] = useState(false)
  const hasOpen = isOpen(intent)
  useHoldPage(hasOpen)
  return (
    <>
      <Button small onClick={() => (hasOpen ? setAsking(true) : onLock())} data-testid="bank-lock">
        Lock
      </Button>
      <Dialog title="A request has no end yet" open={isAsking} onClose={() => setAsking(false)}>
        {hasOpen ? (
          <>
            <p>Locking forgets its idempotency key, and the key is what tells how it ended. Note it first:</p>
            <p className="number breakable" data-testid="lock-key">
              {intent.key}
            </p>
          </>
        ) : (
          <p>It has ended meanwhile.</p>
        )}
        <div className="row">
          <Button tone="primary" onClick={() => setAsking(false)}>
            Stay
          </Button>
          <Button tone="danger" onClick={onLock} data-testid="bank-lock-anyway">
            Lock anyway
          </Button>
        </div>
      </Dialog>
    </>
  )
}
