interface BarProps {
  /** What is measured. */
  readonly label: string
  /** Whole percent, 0 to 100. */
  readonly percent: number
  /** The same in words, for those who hear it; stands beside the bar for everybody. */
  readonly words: string
  readonly tone: 'good' | 'warn' | 'danger' | 'info'
}

/** How much of something is used or left: a bar with its words, so that neither colour nor length is needed to know it. */
export const Bar = ({ label, percent, words, tone }: BarProps) => (
  <div className="bar-frame">
    <div
      className="bar"
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      aria-valuetext={words}
    >
      <div className={`bar-fill bar-${tone}`} style={{ inlineSize: `${percent}%` }} />
    </div>
    <span className="small soft" aria-hidden="true">
      {words}
    </span>
  </div>
)
