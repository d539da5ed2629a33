import type { ReactNode } from 'react'
import { Banner, type BannerTone } from './surfaces.tsx'

interface RefusedProps {
  /** The refusal in words. */
  readonly words: { readonly title: string; readonly what: string; readonly remedy: string }
  /** Its stable code, for those who look it up. */
  readonly code: string
  /** By what the platform's people find the call. */
  readonly requestId?: string | null
  readonly tone?: BannerTone
  readonly action?: ReactNode
}

/** A refusal: what it is, what happened, what to do; its code and number small, for support. */
export const Refused = ({ words, code, requestId = null, tone = 'danger', action }: RefusedProps) => (
  <Banner tone={tone} title={words.title} action={action}>
    <p>
      {words.what} {words.remedy}
    </p>
    <p className="small">
      <span className="number" data-testid="refusal-code">
        {code}
      </span>
      {requestId === null ? null : (
        <>
          {' · request '}
          <span className="number">{requestId}</span>
        </>
      )}
    </p>
  </Banner>
)
