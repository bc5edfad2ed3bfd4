import type { ProblemWords } from './problems.ts'

/** What the server says of problems, in Spanish, by code. What no page can meet is listed in the test. */
export const esProblems = {
  // requests
  BAD_REQUEST: {
    title: 'La petición no está bien formada',
    help: 'Carga la página de nuevo; si se repite, el detalle dice qué campo está mal.',
  },
  NOT_SIGNED_IN: { title: 'No has entrado', help: 'Entra con tu nombre y tu contraseña.' },
  FORBIDDEN: {
    title: 'Esta cuenta no puede hacer eso',
    help: 'Pide el permiso a quien administra este servidor.',
  },
  NOT_FOUND: {
    title: 'Aquí no existe tal cosa',
    help: 'Puede que se haya borrado, o que esté en una biblioteca que esta cuenta no ve.',
  },
  METHOD_NOT_ALLOWED: {
    title: 'Esa dirección no admite esa operación',
    help: 'Carga la página de nuevo; el servidor puede ser de otra versión.',
  },
  CURSOR_UNKNOWN: {
    title: 'Esa página de la lista ya no existe',
    help: 'Carga la lista de nuevo desde el principio.',
  },
  CONFLICT: {
    title: 'Otra persona lo cambió al mismo tiempo',
    help: 'Cárgalo de nuevo y repite el cambio.',
  },
  TOO_LARGE: {
    title: 'La petición es mayor de lo que acepta el servidor',
    help: 'Envía menos de una vez; el detalle dice cuál es el límite.',
  },
  RANGE_NOT_SATISFIABLE: {
    title: 'Ese tramo queda fuera del archivo',
    help: 'Carga la página de nuevo: el archivo puede haber cambiado.',
  },
  TOO_MANY_REQUESTS: { title: 'Demasiados intentos', help: 'Espera un poco y prueba otra vez.' },
  INTERNAL: {
    title: 'Algo se rompió en el servidor',
    help: 'Busca el identificador de la petición en el registro; al lado dice qué se rompió.',
  },
  BEHIND: { title: 'Este servidor aún no conoce ese cambio', help: 'Repítelo dentro de un momento.' },
  UNREACHABLE: {
    title: 'No se llega a una parte del servicio',
    help: 'No se guardó nada, y la música sigue. Repítelo dentro de un momento; `npm run hocket -- status` dice qué parte falta.',
  },
  ROLE_AWAY: {
    title: 'Ninguna máquina que hace esto está en marcha',
    help: 'Pide a un administrador que mire `npm run hocket -- status` y ponga en marcha una que lo haga.',
  },
  ROLE_ELSEWHERE: {
    title: 'De esto se encarga otra máquina',
    help: 'Pídelo en una máquina que tenga ese papel; `npm run hocket -- status` las muestra.',
  },
  TIMED_OUT: {
    title: 'Tardó más de lo permitido',
    help: 'No se sabe si se guardó, y la música sigue. Míralo dentro de un momento; `npm run hocket -- status` dice qué falta o está cargado.',
  },
  CROSS_SITE: {
    title: 'La petición viene de la página de otro sitio',
    help: 'Usa las páginas de este mismo servidor.',
  },
  CONTENT_TYPE_UNKNOWN: {
    title: 'El servidor no entiende ese tipo de contenido',
    help: 'Carga la página de nuevo; el servidor puede ser de otra versión.',
  },
  WRONG_SETUP_CODE: {
    title: 'El código del primer arranque falta o no es ese',
    help: 'Cópialo del registro del servidor, donde se escribió al arrancar.',
  },
  NOT_READY: {
    title: 'El servidor aún se está preparando',
    help: 'Espera un momento: está leyendo sus datos.',
  },

  // media
  MEDIA_UNREADABLE: {
    title: 'No se puede leer sonido de este archivo',
    help: 'Pruébalo con otro programa: puede estar cortado, cifrado o no ser música. Sustitúyelo y vuelve a explorar.',
  },
  COVER_UNREADABLE: {
    title: 'La imagen no se puede leer',
    help: 'Sustitúyela por un JPEG, PNG o WebP de menos de 100 megapíxeles.',
  },
  TRANSCODER_CRASHED: {
    title: 'El proceso que convierte el sonido murió',
    help: 'Prueba otra vez; si siempre es este archivo, lo más probable es que esté dañado.',
  },
  TRANSCODER_BUSY: {
    title: 'Hay demasiadas conversiones en espera',
    help: 'Prueba otra vez dentro de un momento.',
  },
  DOWNLOADS_BUSY: {
    title: 'Esta cuenta ya está descargando varios archivos zip',
    help: 'Espera a que termine alguno de ellos, o cancela uno.',
  },

  // bytes
  BLOB_MISSING: {
    title: 'Los datos de este archivo no están en este servidor',
    help: 'Recupéralos de una copia de seguridad o sube el archivo otra vez.',
  },
  BLOB_CORRUPT: {
    title: 'Los datos de este archivo están dañados en el disco',
    help: 'Ya no se sirven. Sube el archivo otra vez o recupera una copia, y revisa el disco.',
  },
  BLOB_MISMATCH: {
    title: 'Los datos no son los anunciados',
    help: 'Envía el archivo otra vez: se dañó por el camino o cambió entretanto.',
  },
  CLUSTER_NOT_LAST: {
    title: 'Otras máquinas siguen formando parte del clúster',
    help: 'Vacía cada una con `npm run hocket -- drain` y repite la orden: espera a que todo esté aquí y las quita.',
  },
  OFFICE_LOST: {
    title: 'Otro nodo se ha hecho cargo de este trabajo',
    help: 'No hay que hacer nada: lo hace el otro.',
  },
  LAST_COPY: {
    title: 'Es la última copia sana de estos datos',
    help: 'Haz antes otra copia; la última no se borra nunca.',
  },
  COPIES_TOO_FEW: {
    title: 'Hay muy pocas máquinas en marcha para guardarlo con seguridad',
    help: 'No se perdió nada: repítelo cuando haya más nodos; `npm run hocket -- status` los muestra.',
  },
  DISK_FULL: {
    title: 'El disco de este servidor está lleno',
    help: 'Haz sitio en el disco de la carpeta de datos; lo que quedó a medias se ha quitado.',
  },
  DISK_READ_ONLY: {
    title: 'No se puede escribir en la carpeta de datos',
    help: 'Monta su disco con permiso de escritura y dáselo a la cuenta que ejecuta Hocket.',
  },
  DISK_FAILED: {
    title: 'El disco dio un error',
    help: 'Mira el registro del sistema y el estado del disco; haz una copia de seguridad ya.',
  },
  FILE_MISSING: {
    title: 'El archivo ya no está en la carpeta de música',
    help: 'Devuélvelo o vuelve a explorar; comprueba que su disco está montado.',
  },
  FILE_CHANGED: {
    title: 'El archivo ha cambiado desde que se leyó',
    help: 'Explora la biblioteca otra vez y repítelo.',
  },
  FILE_UNREADABLE: {
    title: 'El archivo de la carpeta de música no se puede leer',
    help: 'Da permiso de lectura a la cuenta que ejecuta Hocket; los enlaces no deben salir de la carpeta.',
  },

  // facts
  STORE_CORRUPT: {
    title: 'La base de datos está dañada',
    help: 'Detén Hocket y recupera la última copia con `npm run hocket -- restore`; guarda el archivo dañado hasta que funcione.',
  },
  STORE_NEWER: {
    title: 'La base de datos es de una versión más nueva de Hocket',
    help: 'Arranca esa versión, o recupera una copia hecha con esta. No se ha cambiado nada.',
  },
  STORE_FULL: {
    title: 'La base de datos ha llegado a su límite',
    help: 'No se puede escribir hasta que haya sitio: `npm run hocket -- status` dice cuánto ocupa.',
  },
  STORE_REFUSED: {
    title: 'La base de datos rechaza a este nodo',
    help: 'El detalle dice qué contestó etcd; revisa el certificado y los permisos de este nodo.',
  },
  ETCD_FAILED: {
    title: 'etcd no está en marcha',
    help: 'El detalle y el registro dicen de qué se queja; revisa sus puertos, su disco y sus certificados.',
  },
  FACT_NEWER: {
    title: 'Esto lo escribió una versión más nueva de Hocket',
    help: 'Actualiza este nodo a esa versión. Hasta entonces deja el dato como está.',
  },
  FACT_DAMAGED: {
    title: 'Un dato guardado no se puede leer',
    help: 'Avisa de ello con la versión de Hocket; una copia de seguridad lo recupera.',
  },

  // accounts
  SETUP_DONE: {
    title: 'El primer administrador ya existe',
    help: 'Entra, o pide una invitación a quien administra.',
  },
  WRONG_CREDENTIALS: {
    title: 'El nombre o la contraseña no son esos',
    help: 'Prueba otra vez; quien administra puede poner otra contraseña.',
  },
  ACCOUNT_DISABLED: {
    title: 'Esta cuenta está bloqueada',
    help: 'Pide a quien administra este servidor que la desbloquee.',
  },
  NAME_TAKEN: {
    title: 'Otra cuenta ya tiene ese nombre',
    help: 'Elige otro; las mayúsculas no lo distinguen.',
  },
  LAST_ADMINISTRATOR: {
    title: 'Es el último administrador',
    help: 'Haz antes administrador a alguien más.',
  },
  INVITATION_ENDED: {
    title: 'Esta invitación ya no vale',
    help: 'Pide otra a quien te la envió.',
  },
  SECRETS_UNREADABLE: {
    title: 'No se puede leer la clave de esta instalación',
    help: 'Recupera de una copia la carpeta `secrets` de los datos; el detalle dice qué falla.',
  },

  // what a scan finds
  FILE_EMPTY: { title: 'El archivo está vacío', help: 'Cópialo otra vez de donde venía; no llegó nada.' },
  FILE_NOT_AUDIO: {
    title: 'El archivo no es sonido',
    help: 'Mira qué es; cámbiale el nombre o sácalo de la carpeta de música.',
  },
  FILE_DAMAGED: {
    title: 'El archivo está dañado',
    help: 'Pruébalo con otro programa; si también falla, sustitúyelo y vuelve a explorar.',
  },
  FILE_DECAYED: {
    title: 'El archivo se ha dañado desde que se leyó',
    help: 'Sustitúyelo por una copia y revisa el disco: cambió sin que nadie escribiera en él.',
  },
  FILE_ENCRYPTED: {
    title: 'El archivo está cifrado',
    help: 'Consigue una copia sin protección; Hocket no puede reproducir archivos protegidos.',
  },
  FILE_TRUNCATED: {
    title: 'El archivo termina demasiado pronto',
    help: 'Cópialo otra vez de donde venía; suena hasta donde llega.',
  },
  FILE_MISLABELLED: {
    title: 'El archivo es de otra clase que la que dice su nombre',
    help: 'Ponle la terminación que dice el detalle; suena igualmente.',
  },
  TAGS_TOO_LARGE: {
    title: 'Las etiquetas del archivo son demasiado grandes',
    help: 'Quítales imágenes o datos ajenos con un editor de etiquetas.',
  },
  COVER_NOT_AN_IMAGE: {
    title: 'La portada del archivo no es una imagen',
    help: 'Sustitúyela en sus etiquetas por un JPEG o PNG.',
  },
  READER_FAILED: {
    title: 'Leer el archivo hizo caer al lector, o tardó demasiado',
    help: 'Pruébalo con otro programa y sustitúyelo si también falla; si el disco es lento, explora otra vez.',
  },
  PATH_TOO_LONG: {
    title: 'La ruta del archivo es demasiado larga',
    help: 'Acorta los nombres de sus carpetas; una ruta puede tener 4095 bytes.',
  },
  LINK_OUTSIDE: {
    title: 'El enlace sale de la carpeta de música',
    help: 'Añade como biblioteca la carpeta a la que lleva.',
  },
  LINK_CIRCLE: {
    title: 'El enlace vuelve a una carpeta superior',
    help: 'Quita el enlace; lo que señala se encuentra por su ruta verdadera.',
  },
  LIBRARY_GONE: {
    title: 'La carpeta de música no está',
    help: 'Monta su disco o devuélvela, y explora otra vez. Si ha de estar vacía, haz una exploración completa.',
  },
  LIBRARY_NOT_A_FOLDER: {
    title: 'Eso no es una carpeta que Hocket pueda leer',
    help: 'Da la ruta completa de una carpeta que exista y que pueda leer la cuenta que ejecuta Hocket.',
  },
  LIBRARY_NESTED: {
    title: 'Esa carpeta está dentro de otra biblioteca, o contiene una',
    help: 'Elige una que no comparta nada con las demás, o quita antes la otra.',
  },
  TOO_MANY_PROBLEMS: {
    title: 'En esta biblioteca hay más problemas de los que se muestran',
    help: 'Arregla algunos de los que se ven y explora otra vez.',
  },

  // shares and uploads
  SHARE_ENDED: {
    title: 'Este enlace ha terminado',
    help: 'Pide otro a quien te lo dio: era por un tiempo, o lo que mostraba ya no está.',
  },
  UPLOAD_NOT_AUDIO: {
    title: 'El archivo no es sonido que este servidor sepa leer',
    help: 'Sube música: MP3, FLAC, Ogg, Opus, M4A, WAV, AIFF y parecidos.',
  },
  QUOTA_EXCEEDED: {
    title: 'A esta cuenta no le queda sitio para subir más',
    help: 'Retira algo de lo que subiste, o pide más sitio a quien administra.',
  },
  UPLOAD_EXPIRED: {
    title: 'Esta subida no terminó a tiempo y se ha quitado',
    help: 'Empieza la subida de nuevo.',
  },
  UPLOAD_LOCKED: {
    title: 'Otra página está enviando este mismo archivo',
    help: 'Espera a que termine y prueba otra vez.',
  },
  SERVICE_REFUSED: {
    title: 'El servicio de fuera rechaza esta cuenta o este token',
    help: 'Crea allí un token nuevo y conecta otra vez: entonces se entrega lo que espera.',
  },
  SERVICE_UNAVAILABLE: {
    title: 'El servicio de fuera no responde o tiene problemas',
    help: 'No se pierde nada: se vuelve a intentar solo. Si no funciona nunca, revisa la dirección.',
  },
  SERVICE_NOT_SET_UP: {
    title: 'Last.fm aún no conoce este servidor',
    help: 'Quien administra escribe en Ajustes la clave de API y el secreto de este servidor.',
  },
  ADDRESS_FORBIDDEN: {
    title: 'El servidor no puede llamar a esta dirección para esta cuenta',
    help: 'Da una dirección que empiece por https:// y se alcance desde internet. Solo quien administra puede nombrar direcciones de la red interna.',
  },
  FEED_UNREADABLE: {
    title: 'Lo que hay en la dirección no es el canal de un podcast',
    help: 'Abre la dirección en un navegador: debe mostrar RSS o Atom, no una página que lleve a él.',
  },
  STATION_UNPLAYABLE: {
    title: 'Lo que hay en la dirección de la emisora no es audio en directo',
    help: 'Da la dirección de la emisión misma, en MP3, AAC u Ogg: ni una página web ni HLS (.m3u8). Las apps quizá reproduzcan lo que el reproductor web no puede.',
  },
  DELIVERY_REFUSED: {
    title: 'El servicio de fuera no quiso algo que se le envió',
    help: 'Se renunció a eso, y lo demás sigue adelante.',
  },
} as const satisfies ProblemWords
