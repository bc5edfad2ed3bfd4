import type { InputHTMLAttributes } from 'react'
import { Field } from '../../components/controls.tsx'

/** A field of a form, which the form itself reads when it is sent. */
export function FormField({
  label,
  hint,
  ...input
}: { label: string; hint?: string; name: string } & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <Field label={label} hint={hint}>
      {(ids) => <input {...ids} className="input" {...input} />}
    </Field>
  )
}
