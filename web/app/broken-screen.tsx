import { type ErrorComponentProps, useRouter } from '@tanstack/react-router'
import { useEffect } from 'react'
import { problemOf } from '../api/problem.ts'
import { Mark } from '../components/logo.tsx'
import { ProblemState } from '../components/states.tsx'

const triesEveryMs = 5_000

/** A screen that could not even begin. Where the server was not there, it is asked again until it is. */
export function BrokenScreen({ error }: ErrorComponentProps) {
  const router = useRouter()
  const problem = problemOf(error)
  const passing = problem.code === 'UNREACHABLE'
  useEffect(() => {
    if (!passing) return
    const timer = setInterval(() => void router.invalidate(), triesEveryMs)
    return () => clearInterval(timer)
  }, [passing, router])
  // What is broken in the page itself stays so until it is loaded again.
  return <ProblemState problem={problem} retry={() => (passing ? router.invalidate() : location.reload())} />
}

/** Before anything is known: the mark, quietly. */
export function PendingScreen() {
  return (
    <div className="pending">
      <Mark size={56} />
    </div>
  )
}
