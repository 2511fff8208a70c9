# What train.py does, for those who like to set it in a file. It is not run: train.py reads the settings in it, so only
# assignments have an effect. A copy in the folder you work in goes before this one; flags go before both.
#
# Take what you want by removing the # before a line. Every line adds its name to `desc`, which the run's folder is
# called after: results/003-pgan-faces-preset-v2-1gpu-fp32.
# ruff: noqa: E702


class EasyDict(dict):
    """A dict whose items are attributes, too; only so that other programs can import this file."""

    __getattr__, __setattr__ = dict.__getitem__, dict.__setitem__


# --- Where things are, and how a run is called -----------------------------------------------------------------------

data_dir = "datasets"  # data sets of dataset_tool.py; folders of pictures may be anywhere
result_dir = "results"
desc = "pgan"
random_seed = 1000
num_gpus = 1  # to use several: torchrun --nproc_per_node 4 train.py

dataset = EasyDict()  # the pictures
train = EasyDict(func="train.train_progressive_gan")  # how long, how often what is saved
G = EasyDict(func="networks.G_paper")  # the generator
D = EasyDict(func="networks.D_paper")  # the discriminator
G_opt = EasyDict(beta1=0.0, beta2=0.99, epsilon=1e-8)
D_opt = EasyDict(beta1=0.0, beta2=0.99, epsilon=1e-8)
G_loss = EasyDict(func="loss.G_wgan_acgan")
D_loss = EasyDict(func="loss.D_wgangp_acgan")
sched = EasyDict()  # resolution, minibatch and learning rates as training goes on
grid = EasyDict(size="1080p", layout="random")  # sheets of samples

# fmt: off
# --- Which pictures: one of these, or --data FOLDER ------------------------------------------------------------------

# Your own: a folder or zip of pictures, or a folder in data_dir that dataset_tool.py made.
# desc += '-faces'; dataset.tfrecord_dir = 'faces'; train.mirror_augment = True

# desc += '-celebahq'; dataset.tfrecord_dir = 'celebahq'; train.mirror_augment = True
# desc += '-celeba'; dataset.tfrecord_dir = 'celeba'; train.mirror_augment = True
# desc += '-cifar10'; dataset.tfrecord_dir = 'cifar10'
# desc += '-cifar100'; dataset.tfrecord_dir = 'cifar100'
# desc += '-svhn'; dataset.tfrecord_dir = 'svhn'
# desc += '-mnist'; dataset.tfrecord_dir = 'mnist'
# desc += '-mnistrgb'; dataset.tfrecord_dir = 'mnistrgb'
# desc += '-syn1024rgb'; dataset.class_name = 'dataset.SyntheticDataset'; dataset.resolution = 1024

# LSUN has 30 categories; put another name for "cat" in both places: airplane bedroom bicycle bird boat bottle bridge
# bus car cat chair churchoutdoor classroom conferenceroom cow diningroom diningtable dog horse kitchen livingroom
# motorbike person pottedplant restaurant sheep sofa tower train tvmonitor
# desc += '-lsun-cat'; dataset.tfrecord_dir = 'lsun-cat-100k'; train.mirror_augment = True

# Labels, where the data have them, and sheets of samples.
# desc += '-cond'; dataset.max_label_size = 'full'
# desc += '-cond1'; dataset.max_label_size = 1
# desc += '-g4k'; grid.size = '4k'
# desc += '-grpc'; grid.layout = 'row_per_class'

# --- How to train: one schedule --------------------------------------------------------------------------------------

# The paper's.
# desc += '-preset-v1-1gpu'; num_gpus = 1; D.mbstd_group_size = 16; sched.minibatch_base = 16
# sched.minibatch_dict = {256: 14, 512: 6, 1024: 3}; sched.lod_training_kimg = 800; sched.lod_transition_kimg = 800
# train.total_kimg = 19000

# The faster ones, on 1, 2, 4 and 8 GPUs.
desc += '-preset-v2-1gpu'; num_gpus = 1; sched.minibatch_base = 4; train.total_kimg = 12000
sched.minibatch_dict = {4: 128, 8: 128, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8, 512: 4}
sched.G_lrate_dict = {1024: 0.0015}; sched.D_lrate_dict = EasyDict(sched.G_lrate_dict)

# desc += '-preset-v2-2gpus'; num_gpus = 2; sched.minibatch_base = 8; train.total_kimg = 12000
# sched.minibatch_dict = {4: 256, 8: 256, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8}
# sched.G_lrate_dict = {512: 0.0015, 1024: 0.002}; sched.D_lrate_dict = EasyDict(sched.G_lrate_dict)

# desc += '-preset-v2-4gpus'; num_gpus = 4; sched.minibatch_base = 16; train.total_kimg = 12000
# sched.minibatch_dict = {4: 512, 8: 256, 16: 128, 32: 64, 64: 32, 128: 16}
# sched.G_lrate_dict = {256: 0.0015, 512: 0.002, 1024: 0.003}; sched.D_lrate_dict = EasyDict(sched.G_lrate_dict)

# desc += '-preset-v2-8gpus'; num_gpus = 8; sched.minibatch_base = 32; train.total_kimg = 12000
# sched.minibatch_dict = {4: 512, 8: 256, 16: 128, 32: 64, 64: 32}
# sched.G_lrate_dict = {128: 0.0015, 256: 0.002, 512: 0.003, 1024: 0.003}
# sched.D_lrate_dict = EasyDict(sched.G_lrate_dict)

# --- Number format: one ----------------------------------------------------------------------------------------------

desc += '-fp32'; sched.max_minibatch_per_gpu = {256: 16, 512: 8, 1024: 4}
# desc += '-fp16'; G.dtype = D.dtype = 'float16'; G.pixelnorm_epsilon = 1e-4
# sched.max_minibatch_per_gpu = {512: 16, 1024: 8}; G_opt.use_loss_scaling = D_opt.use_loss_scaling = True

# --- What happens without one of the paper's ideas -------------------------------------------------------------------

# desc += '-nogrowing'; sched.lod_initial_resolution = 1024; train.total_kimg = 10000
# sched.lod_training_kimg = sched.lod_transition_kimg = 0
# desc += '-nopixelnorm'; G.use_pixelnorm = False
# desc += '-nowscale'; G.use_wscale = D.use_wscale = False
# desc += '-noleakyrelu'; G.use_leakyrelu = False
# desc += '-nosmoothing'; train.G_smoothing = 0.0
# desc += '-norepeat'; train.minibatch_repeats = 1
# desc += '-noreset'; train.reset_opt_for_new_lod = False

# --- Special modes ---------------------------------------------------------------------------------------------------

# desc += '-BENCHMARK'; sched.lod_initial_resolution = 4; sched.lod_training_kimg = sched.lod_transition_kimg = 3
# train.total_kimg = (8 * 2 + 1) * 3; sched.tick_kimg_base = 1; sched.tick_kimg_dict = {}
# train.image_snapshot_ticks = train.network_snapshot_ticks = 1000
# desc += '-BENCHMARK0'; sched.lod_initial_resolution = 1024; train.total_kimg = 10; sched.tick_kimg_base = 1
# sched.tick_kimg_dict = {}; train.image_snapshot_ticks = train.network_snapshot_ticks = 1000
# desc += '-VERBOSE'; sched.tick_kimg_base = 1; sched.tick_kimg_dict = {}
# train.image_snapshot_ticks = 1; train.network_snapshot_ticks = 100
# desc += '-HIST'; train.save_weight_histograms = True

# --- Something else than training: run_id is the number of a run -----------------------------------------------------

# train = EasyDict(func='util_scripts.generate_fake_images', run_id=3, num_pngs=1000)
# desc = 'fake-images-' + str(train.run_id)

# train = EasyDict(func='util_scripts.generate_fake_images', run_id=3, grid_size=[15, 8], num_pngs=10, image_shrink=4)
# desc = 'fake-grids-' + str(train.run_id)

# train = EasyDict(func='util_scripts.generate_interpolation_video', run_id=3, grid_size=[1, 1], duration_sec=60.0)
# desc = 'interpolation-' + str(train.run_id)

# train = EasyDict(func='util_scripts.generate_training_video', run_id=3, duration_sec=20.0)
# desc = 'training-video-' + str(train.run_id)

# train = EasyDict(func='util_scripts.evaluate_metrics', run_id=3, metrics=['swd'], log='metric-swd-16k.txt')
# train.num_images = 16384; train.real_passes = 2
# train = EasyDict(func='util_scripts.evaluate_metrics', run_id=3, metrics=['fid'], log='metric-fid-10k.txt')
# train.num_images = 10000; train.real_passes = 1
# train = EasyDict(func='util_scripts.evaluate_metrics', run_id=3, metrics=['fid'], log='metric-fid-50k.txt')
# train.num_images = 50000; train.real_passes = 1
# train = EasyDict(func='util_scripts.evaluate_metrics', run_id=3, metrics=['is'], log='metric-is-50k.txt')
# train.num_images = 50000; train.real_passes = 1
# train = EasyDict(func='util_scripts.evaluate_metrics', run_id=3, metrics=['msssim'], log='metric-msssim-20k.txt')
# train.num_images = 20000; train.real_passes = 1
# fmt: on
