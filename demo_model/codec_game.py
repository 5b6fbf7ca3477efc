"""The whole codec against the discriminators: encoder and codebooks learn with the decoder, so codes change their
meaning, and a language model that speaks them has to be trained anew."""

import torch
from snac import SNAC
from torch import Tensor, nn

from demo_model.codec import quantise
from demo_model.game import Game


class CodecGame(Game):
    """As the decoder's game, but what is decoded was coded a moment before. Codebooks come from a codec whose codes
    are all in use: none is revived, for counting them would make a recorded step wait."""

    LEARNER = ""

    def learner_of(self, codec: SNAC) -> nn.Module:
        """All of it."""
        whole: nn.Module = codec
        return whole

    def teach(self, codes: Tensor, heard: Tensor) -> Tensor:
        """The audio's own codes, [B, frames, 7], are old ones and not looked at."""
        quantised = quantise(self.codec, self.codec.encoder(heard.unsqueeze(1)))
        made = self.judged(self.codec.decoder(quantised.latents).squeeze(1))
        return self.compare(self.judged(heard), made, quantised.loss)

    @torch.no_grad()
    def repeat(self, codec: SNAC, codes: Tensor, heard: Tensor) -> Tensor:
        """The audio that counts [B, T], coded and decoded by `codec`."""
        return self.judged(codec(heard.unsqueeze(1))[0].squeeze(1))
