import { type ReactNode, useState } from 'react'
import type { ProblemDocument } from '../../src/protocol/api/problem.ts'
import { problemOf } from '../api/problem.ts'
import { useWords } from '../i18n/i18n.tsx'
import { Button } from './controls.tsx'
import { Dialog } from './dialog.tsx'
import { ProblemAlert } from './problem-alert.tsx'

/**
 * A dialog that asks for something. Enter and its main button do it; while that runs it can not be done twice, and what
 * goes wrong is said inside, where it can be mended. Whoever shows it closes it when `onSubmit` has resolved.
 */
export function FormDialog({
  title,
  action,
  onSubmit,
  onClose,
  children,
}: {
  title: string
  /** What the main button says. */
  action: string
  onSubmit(form: FormData): Promise<unknown>
  onClose(): void
  /** Fields; a function where they show what is wrong with each. */
  children: ReactNode | ((problem: ProblemDocument | undefined) => ReactNode)
}) {
  const { say } = useWords()
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<ProblemDocument>()
  const submit = async (form: FormData) => {
    setBusy(true)
    setProblem(undefined)
    try {
      await onSubmit(form)
    } catch (error) {
      setProblem(problemOf(error))
    }
    setBusy(false)
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          if (!busy) void submit(new FormData(event.currentTarget))
        }}
      >
        <ProblemAlert problem={problem} />
        {typeof children === 'function' ? children(problem) : children}
        <div className="dialog-actions">
          <Button look="quiet" onClick={onClose}>
            {say('cancel')}
          </Button>
          <Button look="primary" type="submit" busy={busy}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
