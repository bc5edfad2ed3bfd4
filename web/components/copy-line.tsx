import { Check, Copy } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useWords } from '../i18n/i18n.tsx'
import { copyText } from './clipboard.ts'
import { Field, IconButton } from './controls.tsx'

const shownMs = 2_500

/** A value to be carried elsewhere. That it was copied is said here, since a dialog hides the notices. */
export function CopyLine({ label, value }: { label: string; value: string }) {
  const { say } = useWords()
  const field = useRef<HTMLInputElement>(null)
  const [outcome, setOutcome] = useState<'copied' | 'copyByHand'>()
  useEffect(() => {
    if (outcome === undefined) return
    const timer = setTimeout(() => setOutcome(undefined), shownMs)
    return () => clearTimeout(timer)
  }, [outcome])
  const copy = async () => {
    const done = await copyText(value, field.current ?? undefined)
    field.current?.select()
    setOutcome(done ? 'copied' : 'copyByHand')
  }
  return (
    <Field label={label}>
      {(ids) => (
        <span className="copy-line">
          <input
            {...ids}
            ref={field}
            className="input"
            readOnly
            value={value}
            onFocus={(event) => event.currentTarget.select()}
          />
          <IconButton
            icon={outcome === 'copied' ? Check : Copy}
            label={say('copy')}
            aria-describedby={`${ids.id}-label`}
            onClick={() => void copy()}
          />
          <span role="status" className={outcome === 'copyByHand' ? 'copy-by-hand' : 'visually-hidden'}>
            {outcome === undefined ? '' : say(outcome)}
          </span>
        </span>
      )}
    </Field>
  )
}
