import { X } from 'lucide-react'
import { type ReactNode, useId, useLayoutEffect, useRef } from 'react'
import { useWords } from '../i18n/i18n.tsx'
import { Button, IconButton } from './controls.tsx'
import './dialog.css'

/** What is to be filled in; where nothing is, the first button below the text, which undoes nothing. */
const firstToUse = 'form :is(input:not([readonly], [type=radio]), textarea, select), .dialog-actions button'

/** The browser's own modal dialog: it keeps the focus inside, closes with Escape and makes the rest inert. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string
  onClose(): void
  children: ReactNode
}) {
  const { say } = useWords()
  const ref = useRef<HTMLDialogElement>(null)
  const id = useId()
  // Before it is painted: no key may fall between one dialog and the next.
  useLayoutEffect(() => {
    const dialog = ref.current
    dialog?.showModal()
    // Else the browser chooses the button that closes: whoever types would lose what they type, and Space the dialog.
    dialog?.querySelector<HTMLElement>(firstToUse)?.focus()
    return () => dialog?.close()
  }, [])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the click on the backdrop doubles the Escape key.
    <dialog
      ref={ref}
      className="dialog"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={(event) => event.target === event.currentTarget && onClose()}
    >
      <div className="dialog-inside">
        <header>
          <h2 id={id} dir="auto">
            {title}
          </h2>
          <IconButton icon={X} label={say('close')} onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  )
}

/** Asks before something that cannot be taken back. */
export function Confirm({
  title,
  text,
  action,
  onConfirm,
  onClose,
}: {
  title: string
  text: string
  action: string
  onConfirm(): void
  onClose(): void
}) {
  const { say } = useWords()
  return (
    <Dialog title={title} onClose={onClose}>
      <p className="soft">{text}</p>
      <div className="dialog-actions">
        <Button look="quiet" onClick={onClose}>
          {say('cancel')}
        </Button>
        <Button
          look="danger"
          onClick={() => {
            onConfirm()
            onClose()
          }}
        >
          {action}
        </Button>
      </div>
    </Dialog>
  )
}
