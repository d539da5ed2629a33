import {
  useId,
  useState,
  type ButtonHTMLAttributes,
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
} from 'react'

/** What a button is for; `danger` costs money or can't be taken back. */
export type ButtonTone = 'primary' | 'plain' | 'up' | 'down' | 'danger'

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly tone?: ButtonTone
  readonly small?: boolean
  /** Something is under way: it can't be pressed again, and says so. */
  readonly busy?: boolean
}

/** A button. While busy it is disabled and announced as such. */
export const Button = ({ tone = 'plain', small = false, busy = false, children, disabled, ...rest }: ButtonProps) => (
  <button
    type="button"
    {...rest}
    className={`button button-${tone}${small ? ' button-small' : ''}`}
    disabled={disabled === true || busy}
    aria-busy={busy}
  >
    {busy ? <span className="spinner" aria-hidden="true" /> : null}
    {children}
  </button>
)

interface FieldProps {
  readonly label: string
  /** What helps to fill it in; read with the field. */
  readonly hint?: ReactNode
  /** What is wrong with it, and what would be right. */
  readonly fault?: string | null
  /** Shown at the end of the field: a unit or an asset. */
  readonly unit?: string
}

interface InputProps extends FieldProps, Omit<InputHTMLAttributes<HTMLInputElement>, 'id' | 'onChange' | 'value'> {
  readonly value: string
  readonly onValue: (value: string) => void
}

const Frame = ({
  id,
  label,
  hint,
  fault,
  unit,
  children,
}: FieldProps & { readonly id: string; readonly children: ReactNode }) => (
  <div className="field">
    <label htmlFor={id}>{label}</label>
    <div className={`field-box${fault === undefined || fault === null ? '' : ' field-box-fault'}`}>
      {children}
      {unit === undefined ? null : <span className="field-unit">{unit}</span>}
    </div>
    {hint === undefined ? null : (
      <div id={`${id}-hint`} className="field-hint">
        {hint}
      </div>
    )}
    {fault === undefined || fault === null ? null : (
      <div id={`${id}-fault`} className="field-fault" role="alert">
        {fault}
      </div>
    )}
  </div>
)

const describedBy = (id: string, { hint, fault }: FieldProps): string | undefined => {
  const ids = [
    ...(hint === undefined ? [] : [`${id}-hint`]),
    ...(fault === undefined || fault === null ? [] : [`${id}-fault`]),
  ]
  return ids.length === 0 ? undefined : ids.join(' ')
}

/**
 * A line of text with its label; a fault is announced and named by the field. A secret is kept by the field itself and only told:
 * React writes a value that it keeps into the document, where everything that reads the page finds it.
 */
export const TextField = ({ label, hint, fault, unit, value, onValue, ...rest }: InputProps) => {
  const id = useId()
  const frame = {
    label,
    ...(hint === undefined ? {} : { hint }),
    fault: fault ?? null,
    ...(unit === undefined ? {} : { unit }),
  }
  return (
    <Frame id={id} {...frame}>
      <input
        {...rest}
        {...(rest.type === 'password' ? {} : { value })}
        id={id}
        onChange={(event) => onValue(event.target.value)}
        aria-invalid={frame.fault !== null}
        aria-describedby={describedBy(id, frame)}
      />
    </Frame>
  )
}

/** A decimal number: its text stays what was typed; who reads it parses it exactly. */
export const NumberField = (props: InputProps) => (
  <TextField inputMode="decimal" autoComplete="off" spellCheck={false} {...props} />
)

interface SelectFieldProps
  extends FieldProps, Omit<SelectHTMLAttributes<HTMLSelectElement>, 'id' | 'onChange' | 'value'> {
  readonly value: string
  readonly onValue: (value: string) => void
  readonly options: readonly { readonly value: string; readonly label: string }[]
}

/** A choice from a list. */
export const SelectField = ({ label, hint, fault, value, onValue, options, ...rest }: SelectFieldProps) => {
  const id = useId()
  const frame = { label, ...(hint === undefined ? {} : { hint }), fault: fault ?? null }
  return (
    <Frame id={id} {...frame}>
      <select
        {...rest}
        id={id}
        value={value}
        onChange={(event) => onValue(event.target.value)}
        aria-describedby={describedBy(id, frame)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </Frame>
  )
}

interface SliderFieldProps extends FieldProps {
  readonly value: number
  readonly min: number
  readonly max: number
  readonly onValue: (value: number) => void
  /** The value in words, for those who hear it. */
  readonly valueText: string
  /** For tests: on the scale itself; the typed number has it with `-number`. */
  readonly testId?: string
}

/** A whole number on a scale, by pointer, arrow keys, or typed. */
export const SliderField = ({ label, hint, fault, value, min, max, onValue, valueText, testId }: SliderFieldProps) => {
  const id = useId()
  // A field that is being emptied to type another number stays empty: a 1 put there by itself makes 125 of the 25 typed next.
  const [isEmpty, setIsEmpty] = useState(false)
  const frame = { label, ...(hint === undefined ? {} : { hint }), fault: fault ?? null }
  return (
    <Frame id={id} {...frame}>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={1}
        value={value}
        data-testid={testId}
        onChange={(event) => onValue(Number(event.target.value))}
        aria-valuetext={valueText}
        aria-describedby={describedBy(id, frame)}
      />
      <input
        className="slider-number number"
        data-testid={testId === undefined ? undefined : `${testId}-number`}
        type="number"
        aria-label={`${label}, as a number`}
        min={min}
        max={max}
        step={1}
        value={isEmpty ? '' : value}
        onBlur={() => setIsEmpty(false)}
        onChange={(event) => {
          setIsEmpty(event.target.value === '')
          const typed = Number(event.target.value)
          if (Number.isInteger(typed)) onValue(Math.min(max, Math.max(min, typed)))
        }}
      />
    </Frame>
  )
}

interface ChoiceProps<Value extends string> {
  readonly legend: string
  readonly value: Value
  readonly options: readonly { readonly value: Value; readonly label: string; readonly tone?: 'up' | 'down' }[]
  readonly onValue: (value: Value) => void
}

/** One of a few, side by side: radio buttons that look like a switch. */
export const Choice = <Value extends string>({ legend, value, options, onValue }: ChoiceProps<Value>) => {
  const name = useId()
  return (
    <fieldset className="choice">
      <legend className="hidden-visually">{legend}</legend>
      {options.map((option) => (
        <label
          key={option.value}
          className={`choice-option${option.tone === undefined ? '' : ` choice-${option.tone}`}`}
        >
          <input type="radio" name={name} checked={option.value === value} onChange={() => onValue(option.value)} />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  )
}
