"""PCM to what listeners ask for: file formats, sample rates, speeds. Plain classes without I/O.

`Output` says what is wanted and is checked before anything is spoken; `Output.open` gives the Encoder of one stream.
Equal outputs of the same PCM give equal bytes, however the PCM was cut (an Ogg stream's random serial number aside), so
listeners who want the same may share one Encoder; `OpusTail` is for those who come to it later.
"""

from gateway.encoders.encoder import Encoder
from gateway.encoders.formats import FORMATS
from gateway.encoders.opus_tail import OpusTail
from gateway.encoders.output import Output

__all__ = ["FORMATS", "Encoder", "OpusTail", "Output"]
