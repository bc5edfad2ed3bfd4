import { Copy } from 'lucide-react'
import { useNotify } from '../app/notices.tsx'
import { useWords } from '../i18n/i18n.tsx'
import { Field, IconButton } from './controls.tsx'

/** A value to be carried elsewhere. */
export function CopyLine({ label, value }: { label: string; value: string }) {
  const { say } = useWords()
  const notify = useNotify()
  return (
    <Field label={label}>
      {(ids) => (
        <span className="copy-line">
          <input
            {...ids}
            className="input"
            readOnly
            value={value}
            onFocus={(event) => event.currentTarget.select()}
          />
          <IconButton
            icon={Copy}
            label={say('copy')}
            onClick={() => void navigator.clipboard?.writeText(value).then(() => notify(say('copied')))}
          />
        </span>
      )}
    </Field>
  )
}
