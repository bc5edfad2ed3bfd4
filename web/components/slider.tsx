import { type KeyboardEvent, useState } from 'react'
import './slider.css'

/**
 * A slider that shows how far it is. While a person drags, it follows the hand; `onChange` is called at every step
 * when `live`, else once when they let go.
 */
export function Slider({
  label,
  value,
  max,
  step,
  bigStep = step * 2,
  buffered = 0,
  live = false,
  disabled = false,
  valueText,
  className = '',
  onChange,
}: {
  label: string
  value: number
  max: number
  step: number
  bigStep?: number
  buffered?: number
  live?: boolean
  disabled?: boolean
  valueText: (value: number) => string
  className?: string
  onChange(value: number): void
}) {
  const [held, setHeld] = useState<number>()
  const shown = Math.min(held ?? value, max)
  const release = () => {
    if (held === undefined) return
    if (!live) onChange(held)
    setHeld(undefined)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const by = {
      ArrowLeft: -step,
      ArrowDown: -step,
      ArrowRight: step,
      ArrowUp: step,
      PageDown: -bigStep,
      PageUp: bigStep,
    }
    const change = Object.entries(by).find(([key]) => key === event.key)?.[1]
    const to =
      event.key === 'Home' ? 0 : event.key === 'End' ? max : change === undefined ? undefined : value + change
    if (to === undefined) return
    event.preventDefault()
    onChange(Math.min(Math.max(to, 0), max))
  }
  const percent = (part: number) => `${max <= 0 ? 0 : Math.min((part / max) * 100, 100)}%`
  return (
    <input
      type="range"
      className={`slider ${className}`}
      aria-label={label}
      aria-valuetext={valueText(shown)}
      min={0}
      max={max <= 0 ? 1 : max}
      step="any"
      value={shown}
      disabled={disabled}
      style={{ '--filled': percent(shown), '--buffered': percent(buffered) }}
      onChange={(event) => {
        setHeld(event.currentTarget.valueAsNumber)
        if (live) onChange(event.currentTarget.valueAsNumber)
      }}
      onKeyDown={onKeyDown}
      onPointerUp={release}
      onPointerCancel={release}
      onBlur={release}
    />
  )
}
