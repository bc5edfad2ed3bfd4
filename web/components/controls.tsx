import type { LucideIcon } from 'lucide-react'
import { type ButtonHTMLAttributes, type ReactNode, useId } from 'react'
import './controls.css'

type Rest = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'children' | 'aria-label' | 'type'>

/** A button that shows only an icon; `label` names it to everyone who does not see it, and on hover. */
export function IconButton({
  icon: Icon,
  label,
  size = 20,
  pressed,
  className = '',
  filled = false,
  ...rest
}: Rest & {
  icon: LucideIcon
  label: string
  size?: number
  pressed?: boolean | undefined
  filled?: boolean
}) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      className={`icon-button ${className}`}
      {...rest}
    >
      <Icon size={size} aria-hidden fill={filled ? 'currentColor' : 'none'} />
    </button>
  )
}

type Look = 'primary' | 'plain' | 'quiet' | 'danger'

export function Button({
  look = 'plain',
  icon: Icon,
  busy = false,
  type = 'button',
  children,
  className = '',
  disabled,
  ...rest
}: Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'type'> & {
  look?: Look
  icon?: LucideIcon
  busy?: boolean
  type?: 'button' | 'submit'
  children: ReactNode
}) {
  return (
    <button
      type={type}
      className={`button button-${look} ${className}`}
      disabled={disabled === true || busy}
      aria-busy={busy || undefined}
      {...rest}
    >
      {Icon === undefined ? null : <Icon size={18} aria-hidden />}
      <span>{children}</span>
    </button>
  )
}

/** A label, its control and what is wrong with it, tied together for screen readers. */
export function Field({
  label,
  hint,
  error,
  children,
}: {
  label: string
  hint?: string | undefined
  error?: string | undefined
  children: (ids: {
    id: string
    'aria-describedby': string | undefined
    'aria-invalid': boolean
  }) => ReactNode
}) {
  const id = useId()
  const about = error ?? hint
  return (
    <div className="field">
      <label id={`${id}-label`} htmlFor={id}>
        {label}
      </label>
      {children({
        id,
        'aria-describedby': about === undefined ? undefined : `${id}-about`,
        'aria-invalid': error !== undefined,
      })}
      {about === undefined ? null : (
        <p id={`${id}-about`} className={error === undefined ? 'field-hint' : 'field-error'}>
          {about}
        </p>
      )}
    </div>
  )
}

/** A line of text that a person may write, with its name above it. */
export function TextField({
  label,
  value,
  maxLength,
  onChange,
}: {
  label: string
  value: string
  maxLength: number
  onChange(value: string): void
}) {
  return (
    <Field label={label}>
      {(ids) => (
        <input
          {...ids}
          className="input"
          required
          maxLength={maxLength}
          value={value}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  )
}

/** An address of the web, which the browser itself checks. */
export function AddressField({
  label,
  hint,
  value,
  maxLength,
  required = false,
  onChange,
}: {
  label: string
  hint: string
  value: string
  maxLength: number
  required?: boolean
  onChange(value: string): void
}) {
  return (
    <Field label={label} hint={hint}>
      {(ids) => (
        <input
          {...ids}
          className="input"
          type="url"
          required={required}
          maxLength={maxLength}
          placeholder="https://"
          autoComplete="off"
          spellCheck={false}
          value={value}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  )
}

/** The button of a row that sounds: `icon` says what it would do now. */
export function RoundPlay({
  icon: Icon,
  label,
  onClick,
}: {
  icon: LucideIcon
  label: string
  onClick(): void
}) {
  return (
    <button type="button" className="round-play" aria-label={label} title={label} onClick={onClick}>
      <Icon size={18} fill="currentColor" aria-hidden />
    </button>
  )
}

/** One of a few: shown side by side, chosen with the arrow keys. */
export function Choice<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string
  value: T
  options: readonly { value: T; label: string }[]
  onChange(value: T): void
}) {
  const name = useId()
  return (
    <fieldset className="choice">
      <legend className="visually-hidden">{label}</legend>
      {options.map((option) => (
        <label key={option.value}>
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  )
}

/** A list to choose one from, by the browser's own control. */
export function Select<T extends string>({
  label,
  value,
  options,
  onChange,
  hideLabel = true,
}: {
  label: string
  value: T
  options: readonly { value: T; label: string }[]
  onChange(value: T): void
  hideLabel?: boolean
}) {
  const id = useId()
  return (
    <span className="select">
      <label htmlFor={id} className={hideLabel ? 'visually-hidden' : undefined}>
        {label}
      </label>
      <select
        id={id}
        value={value}
        onChange={(event) => {
          const chosen = options.find((option) => option.value === event.currentTarget.value)
          if (chosen !== undefined) onChange(chosen.value)
        }}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </span>
  )
}

export function Switch({
  checked,
  onChange,
  children,
}: {
  checked: boolean
  onChange(checked: boolean): void
  children: ReactNode
}) {
  return (
    <label className="switch">
      <input
        type="checkbox"
        role="switch"
        aria-checked={checked}
        checked={checked}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      {children}
    </label>
  )
}

export function Progress({ value, label }: { value: number | undefined; label: string }) {
  const percent = value === undefined ? undefined : Math.round(Math.min(Math.max(value, 0), 1) * 100)
  return (
    <div
      className={percent === undefined ? 'progress progress-unknown' : 'progress'}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <i style={{ inlineSize: percent === undefined ? '30%' : `${percent}%` }} />
    </div>
  )
}
