import type { ProblemDocument } from '../../src/protocol/api/problem.ts'
import { useWords } from '../i18n/i18n.tsx'
import './problem-alert.css'

/** Above a form: why it was not taken, and what to do. Screen readers say it when it appears. */
export function ProblemAlert({ problem }: { problem: ProblemDocument | undefined }) {
  const words = useWords()
  const text = problem && words.problem(problem)
  return (
    <div role="alert">
      {text === undefined ? null : (
        <div className="problem-alert">
          <b>{text.brief}</b>
          <p>{text.help}</p>
        </div>
      )}
    </div>
  )
}
