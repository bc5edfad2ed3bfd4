import { correction, generate } from 'lean-qr'
import { toSvgPath } from 'lean-qr/extras/svg'
import { useMemo } from 'react'
import './qr-code.css'

/** Modules of white around the code, without which cameras do not find it (ISO 18004). */
const quiet = 4

/** A QR code that is drawn here: what it holds reaches nobody else. Dark on white in both themes, as cameras want it. */
export default function QrCode({ text, label }: { text: string; label: string }) {
  const { path, side } = useMemo(() => {
    const code = generate(text, { minCorrectionLevel: correction.M })
    return { path: toSvgPath(code), side: code.size + 2 * quiet }
  }, [text])
  return (
    <svg className="qr-code" role="img" aria-label={label} viewBox={`${-quiet} ${-quiet} ${side} ${side}`}>
      <path d={path} />
    </svg>
  )
}
