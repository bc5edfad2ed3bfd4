import { useNavigate } from '@tanstack/react-router'
import { Upload } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useServices } from '../../app/services.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import './uploads.css'

/** Files may be dropped anywhere on the page. */
export default function DropZone() {
  const { uploads } = useServices()
  const { say } = useWords()
  const navigate = useNavigate()
  const [over, setOver] = useState(false)
  useEffect(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true
    const onOver = (event: DragEvent) => {
      if (!hasFiles(event)) return
      event.preventDefault()
      setOver(true)
    }
    const onLeave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false)
    }
    const onDrop = (event: DragEvent) => {
      if (!hasFiles(event)) return
      event.preventDefault()
      setOver(false)
      const files = [...(event.dataTransfer?.files ?? [])]
      if (files.length === 0) return
      uploads.add(files)
      void navigate({ to: '/uploads' })
    }
    document.addEventListener('dragover', onOver)
    document.addEventListener('dragleave', onLeave)
    document.addEventListener('drop', onDrop)
    return () => {
      document.removeEventListener('dragover', onOver)
      document.removeEventListener('dragleave', onLeave)
      document.removeEventListener('drop', onDrop)
    }
  }, [uploads, navigate])
  if (!over) return null
  return (
    <div className="drop-zone">
      <div>
        <Upload size={48} aria-hidden />
        {say('dropHere')}
      </div>
    </div>
  )
}
