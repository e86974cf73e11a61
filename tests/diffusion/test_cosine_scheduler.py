"""The scheduler against diffusers' own, to the last bit."""

import pytest
import torch
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

from hdm.diffusion.cosine_scheduler import CosineScheduler


@pytest.mark.parametrize("timesteps", [1, 2, 50, 1000])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16])
def test_it_is_diffusers_scheduler_bit_for_bit(timesteps: int, kind: torch.dtype) -> None:
    theirs = DDPMScheduler(timesteps, beta_schedule="squaredcos_cap_v2",
                           prediction_type="v_prediction", clip_sample=False)
    ours = CosineScheduler(timesteps)
    assert torch.equal(ours.alphas_cumprod, theirs.alphas_cumprod)
    generator = torch.Generator().manual_seed(1)
    clean, noise = (torch.randn(timesteps, 2, 3, 4, generator=generator).to(kind) for _ in "cn")
    t = torch.arange(timesteps)
    assert torch.equal(ours.add_noise(clean, noise, t), theirs.add_noise(clean, noise, t))
    assert torch.equal(ours.get_velocity(clean, noise, t), theirs.get_velocity(clean, noise, t))
